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
	local gateway, connection
	around({ files = files }, function(...)
		gateway, connection = ...
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

	it("replaces only what has the same name, path and domain", function()
		assert.same({
			"a=1; Path=/; Domain=x.org; SameSite=Lax; HttpOnly",
			"a=2; Path=/x; SameSite=Lax; HttpOnly",
			"ab=3; Path=/; SameSite=Lax; HttpOnly",
			"a=4; Path=/; SameSite=Lax; HttpOnly",
		}, cookies_of("response:cookie('a', '1', { domain = 'x.org' }):cookie('a', '2', { path = '/x' }) "
			.. "response:cookie('ab', '3') response:cookie('a', '4')"))
		assert.same({ "a=; Path=/; Domain=X.org; SameSite=Lax; Max-Age=0; HttpOnly" },
			cookies_of("response:cookie('a', '1', { domain = 'x.org' }) response:cookie('a', nil, { domain = 'X.org' })"))
	end)

	it("keeps what was set as a header", function()
		assert.same({ "a=0", "a=2; Path=/; SameSite=Lax; HttpOnly" }, cookies_of("response.headers['set-cookie'] = { 'a=0', 'a=1; path=/' } "
			.. "response:cookie('a', '2')"))
	end)

	it("takes numbers as values, and as much as browsers do", function()
		assert.same({ "a=5; Path=/; SameSite=Lax; HttpOnly" }, cookies_of("response:cookie('a', 5)"))
		assert.same({ "a=" .. ("x"):rep(4095) .. "; Path=/; SameSite=Lax; HttpOnly" }, cookies_of("response:cookie('a', ('x'):rep(4095))"))
	end)

	it("is read by curl, and comes back", function()
		local jar = os.tmpname()
		local url = ("http://127.0.0.1:%d"):format(gateway.port)
		os.execute(("curl -sS -c %s -d \"response:cookie('a', 'tide') response:cookie('b', '1', { max_age = 5 }) "
			.. "response:cookie('c', nil)\" %s/set >/dev/null"):format(jar, url))
		local pipe = io.popen(("curl -sS -b %s %s/read"):format(jar, url))
		assert.equal('{"all":["tide"],"first":"tide","list":"a=tide&b=1"}', pipe:read("a"))
		pipe:close()
		os.remove(jar)
	end)

	local refusals = {
		{ "response:cookie('a b', '1')", "cookie 'a b' has a name that is no token" },
		{ "response:cookie('', '1')", "cookie '' has a name that is no token" },
		{ "response:cookie('a', 'x;y')", "cookie 'a' has a byte in its value that cookies cannot carry: encode it" },
		{ "response:cookie('a', 'x\\r\\nSet-Cookie: b=1')", "cookie 'a' has a byte in its value that cookies cannot carry: encode it" },
		{ "response:cookie('a', 'é')", "cookie 'a' has a byte in its value that cookies cannot carry: encode it" },
		{ "response:cookie('a', '1', { path = '/;x' })", 'cookie \'a\' has a path that does not begin with "/", or with a byte that cookies cannot carry' },
		{ "response:cookie('a', '1', { domain = 'x\\ny' })", "cookie 'a' has a domain that is no host name" },
		{ "response:cookie('a', '1', { samesite = 'Lax' })", "unknown option 'samesite' of a cookie; did you mean 'same_site'?" },
		{ "response:cookie('a', '1', { same_site = 'lax' })", 'option \'same_site\' of a cookie must be "Lax", "Strict" or "None", not lax' },
		{ "response:cookie('a', '1', { same_site = 'None' })", 'cookie \'a\' needs secure = true for same_site = "None"' },
		{ "response:cookie('a', '1', { partitioned = true })", "cookie 'a' needs secure = true for partitioned = true" },
		{ "response:cookie('a', '1', { secure = 'yes' })", "option 'secure' of a cookie must be true or false, not yes" },
		{ "response:cookie('a', '1', { max_age = '5' })", "option 'max_age' of a cookie must be a number of seconds, not 5" },
		{ "response:cookie('a', '1', { expires = 'soon' })", "option 'expires' of a cookie must be a number of seconds, not soon" },
		{ "response:cookie('__Host-a', '1')", "cookie '__Host-a' needs secure = true" },
		{ "response:cookie('__Secure-a', '1')", "cookie '__Secure-a' needs secure = true" },
		{ "response:cookie('__Host-a', '1', { secure = true, path = '/x' })", "cookie '__Host-a' can have no domain, and no path but" },
		{ "response:cookie('a', ('x'):rep(5000))", "cookie 'a' is too large: name and value have at most 4096 bytes" },
		{ "response:cookie('a', {})", "bad argument #2" },
		{ "response:cookie('a', true)", "bad argument #2" },
		{ "response:cookie('a', '1', 5)", "bad argument #3" },
		{ "response:cookie('a', '1', { 5 })", "unknown option '1' of a cookie" },
		{ "response:cookie('a', '\"1\"')", "cookie 'a' has a byte in its value" },
		{ "response:cookie('a', 'x\\0y')", "cookie 'a' has a byte in its value" },
		{ "response:cookie('a=b', '1')", "cookie 'a=b' has a name that is no token" },
		{ "response:cookie('a;b', '1')", "cookie 'a;b' has a name that is no token" },
		{ "response:cookie('a', '1', { path = 'x' })", "cookie 'a' has a path" },
		{ "response:cookie('a', '1', { path = '' })", "cookie 'a' has a path" },
		{ "response:cookie('a', '1', { path = '/\\r\\nX: y' })", "cookie 'a' has a path" },
		{ "response:cookie('a', '1', { path = '/\\0' })", "cookie 'a' has a path" },
		{ "response:cookie('a', '1', { path = '/' .. ('x'):rep(1024) })", "cookie 'a' has a path or a domain of more than 1024 bytes" },
		{ "response:cookie('a', '1', { path = 5 })", "option 'path' of a cookie must be a string, not 5" },
		{ "response:cookie('a', '1', { domain = 'x; Secure' })", "cookie 'a' has a domain" },
		{ "response:cookie('a', '1', { domain = '' })", "cookie 'a' has a domain" },
		{ "response:cookie('a', '1', { max_age = 0/0 })", "option 'max_age' of a cookie must be a number of seconds" },
		{ "response:cookie('a', '1', { max_age = math.huge })", "option 'max_age' of a cookie must be a number of seconds" },
		{ "response:cookie('a', '1', { expires = -1 })", "cookie 'a' expires outside the years 1970 to 9999" },
		{ "response:cookie('a', '1', { expires = 253402300800 })", "cookie 'a' expires outside the years 1970 to 9999" },
		{ "response:cookie('a', nil, { max_age = 5 })", "it takes neither max_age nor expires" },
		{ "response:cookie('__host-a', '1')", "cookie '__host-a' needs secure = true" },
		{ "response:cookie('__Host-a', '1', { secure = true, domain = 'x.org' })", "cookie '__Host-a' can have no domain" },
		{ "response:cookie('__Http-a', '1')", "cookie '__Http-a' needs secure = true" },
		{ "response:cookie('__Http-a', '1', { secure = true, http_only = false })", "cookie '__Http-a' cannot have http_only = false" },
		{ "response:cookie('__Host-Http-a', '1', { secure = true, http_only = false })", "cookie '__Host-Http-a' cannot have http_only" },
		{ "response:cookie('__Secure-a', nil)", "cookie '__Secure-a' needs secure = true" },
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
