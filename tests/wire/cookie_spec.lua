local around = require("tests.support.around")

local files = {
	["handlers/read.lua"] = [[
		return function(request)
			local names = {}
			for name, value in pairs(request.cookies) do names[#names + 1] = name .. "=" .. value end
			table.sort(names)
			return { first = request.cookies.a or "none", all = request.cookies("a"), list = table.concat(names, "&") }
		end]],
	["handlers/late.lua"] = [[
return function(request, response)
	response:write("begun ")
	local ok, message = pcall(function() response:cookie("a", "1") end)
	response:write(message)
end]],
	["handlers/set.lua"] = [[
		return function(request, response)
			local run = assert(load("local response, time = ... " .. request:text(), "@test.lua"))
			local ok, message = pcall(run, response, os.time)
			return ok and "set" or (400), not ok and message or nil
		end]],
}

describe("request.cookies", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	-- The Cookie field; the first a, all of a, all names.
	local cases = {
		{ "a=1", "1", { "1" }, "a=1" },
		{ "a=1; b=2", "1", { "1" }, "a=1&b=2" },
		{ "b=2;a=1", "1", { "1" }, "a=1&b=2" },
		{ "a=1; a=2", "1", { "1", "2" }, "a=1" },
		{ " a = 1 ", "1", { "1" }, "a=1" },
		{ 'a="q q"', "q q", { "q q" }, "a=q q" },
		{ 'a="', '"', { '"' }, 'a="' },
		{ "a=", "", { "" }, "a=" },
		{ "a=b=c", "b=c", { "b=c" }, "a=b=c" },
		{ "a=%20+", "%20+", { "%20+" }, "a=%20+" },
		{ "a", "none", {}, "" },
		{ "=1; ;; x; a=2", "2", { "2" }, "a=2" },
		{ "A=1", "none", {}, "A=1" },
		{ "$Version=1; a=2", "2", { "2" }, "$Version=1&a=2" },
	}
	for _, case in ipairs(cases) do
		it("reads " .. case[1], function()
			local body = connection:fetch("GET", "/read", { "Cookie: " .. case[1] }).body
			local all = {}
			for i, value in ipairs(case[3]) do all[i] = ("%q"):format(value) end
			assert.equal(('{"all":[%s],"first":%s,"list":%s}'):format(table.concat(all, ","):gsub('\\"', '\\"'), ("%q"):format(case[2]),
				("%q"):format(case[4])), body)
		end)
	end

	it("is empty without a field", function()
		assert.equal('{"all":[],"first":"none","list":""}', connection:fetch("GET", "/read").body)
	end)

	it("reads several fields", function()
		assert.matches('"list":"a=1&b=2"', connection:fetch("GET", "/read", { "Cookie: a=1", "Cookie: b=2" }).body, 1, true)
	end)

	it("refuses more than a thousand", function()
		assert.equal(400, connection:fetch("GET", "/read", { "Cookie: " .. ("a=1;"):rep(1001) }).status)
	end)
end)

describe("response:cookie", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	local function cookies_of(code)
		local response = connection:fetch("POST", "/set", nil, code)
		assert.same({ 200, "set" }, { response.status, response.body })
		local list = {}
		for _, field in ipairs(response.list) do
			if field[1] == "set-cookie" then list[#list + 1] = field[2] end
		end
		return list
	end

	local sets = {
		{ "response:cookie('a', '1')", "a=1; Path=/; SameSite=Lax; HttpOnly" },
		{ "response:cookie('a', '')", "a=; Path=/; SameSite=Lax; HttpOnly" },
		{ "response:cookie('a', nil)", "a=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly" },
		{ "response:cookie('a', '1', { path = '/x', domain = 'example.org' })",
			"a=1; Path=/x; Domain=example.org; SameSite=Lax; HttpOnly" },
		{ "response:cookie('a', '1', { max_age = 60, http_only = false, same_site = 'Strict' })",
			"a=1; Path=/; SameSite=Strict; Max-Age=60" },
		{ "response:cookie('a', '1', { expires = 784111777 })",
			"a=1; Path=/; SameSite=Lax; Expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly" },
		{ "response:cookie('a', '1', { secure = true, same_site = 'None', partitioned = true })",
			"a=1; Path=/; SameSite=None; HttpOnly; Secure; Partitioned" },
		{ "response:cookie('__Host-a', '1', { secure = true })", "__Host-a=1; Path=/; SameSite=Lax; HttpOnly; Secure" },
	}
	for _, case in ipairs(sets) do
		it("sends " .. case[2], function()
			assert.same({ case[2] }, cookies_of(case[1]))
		end)
	end

	it("sends several, and replaces the same one", function()
		assert.same({
			"b=2; Path=/; SameSite=Lax; HttpOnly",
			"a=3; Path=/x; SameSite=Lax; HttpOnly",
			"a=4; Path=/; SameSite=Lax; HttpOnly",
		}, cookies_of("response:cookie('a', '1') response:cookie('b', '2') response:cookie('a', '3', { path = '/x' }) response:cookie('a', '4')"))
	end)

	local refusals = {
		{ "response:cookie('a b', '1')", "'a b' is no name of a cookie" },
		{ "response:cookie('', '1')", "'' is no name of a cookie" },
		{ "response:cookie('a', 'x;y')", "the value of cookie 'a' has a space" },
		{ "response:cookie('a', 'x\\r\\nSet-Cookie: b=1')", "the value of cookie 'a' has a space" },
		{ "response:cookie('a', 'é')", "the value of cookie 'a' has a space" },
		{ "response:cookie('a', '1', { path = '/;x' })", "cookie option 'path' is empty, or has a semicolon" },
		{ "response:cookie('a', '1', { domain = 'x\\ny' })", "cookie option 'domain' is empty, or has a semicolon" },
		{ "response:cookie('a', '1', { samesite = 'Lax' })", "a cookie has no option 'samesite'" },
		{ "response:cookie('a', '1', { same_site = 'lax' })", "cookie option 'same_site' is 'Lax', 'Strict' or 'None'" },
		{ "response:cookie('a', '1', { same_site = 'None' })", "same_site = 'None' needs secure = true" },
		{ "response:cookie('a', '1', { partitioned = true })", "partitioned = true needs secure = true" },
		{ "response:cookie('a', '1', { secure = 'yes' })", "cookie option 'secure' is true or false" },
		{ "response:cookie('a', '1', { max_age = 1.5 })", "cookie option 'max_age' is whole seconds" },
		{ "response:cookie('a', '1', { expires = 'soon' })", "cookie option 'expires' is a time" },
		{ "response:cookie('__Host-a', '1')", "cookie '__Host-a' needs secure = true" },
		{ "response:cookie('__Secure-a', '1')", "cookie '__Secure-a' needs secure = true" },
		{ "response:cookie('__Host-a', '1', { secure = true, path = '/x' })", "cookie '__Host-a' has no domain and the path '/'" },
		{ "response:cookie('a', ('x'):rep(5000))", "cookie 'a' is larger than 4096 bytes" },
		{ "response:cookie('a', {})", "bad argument #2" },
	}
	for _, case in ipairs(refusals) do
		it("refuses " .. case[1], function()
			local response = connection:fetch("POST", "/set", nil, case[1])
			assert.equal(400, response.status)
			assert.matches("test.lua:1: ", response.body, 1, true)
			assert.matches(case[2], response.body, 1, true)
		end)
	end

	it("comes too late once the response has begun", function()
		local body = connection:fetch("GET", "/late").body
		assert.matches("late.lua:3: the response has begun", body, 1, true)
	end)
end)
