local around = require("tests.support.around")

local type = "Content-Type: application/x-www-form-urlencoded"

describe("request:form()", function()
	local connection
	around({ files = {
		["handlers/form.lua"] = [[
			return function(request)
				local form = request:form()
				local list = {}
				for name, value in pairs(form) do list[#list + 1] = name .. "=" .. value end
				table.sort(list)
				return { first = form.a, all = form("a"), list = list, again = request:form().a, text = request:text() }
			end]],
		["handlers/small.lua"] = "return { limits = { body = 5 }, POST = function(request) return request:form() end }",
		["handlers/taken.lua"] = [[
			return function(request)
				for _ in request:chunks() do end
				return request:form()
			end]],
	} }, function(_, c)
		connection = c
	end)

	local cases = {
		{ "a=1&b=2", '{"again":"1","all":["1"],"first":"1","list":["a=1","b=2"],"text":"a=1&b=2"}' },
		{ "a=1&a=2", '{"again":"1","all":["1","2"],"first":"1","list":["a=1"],"text":"a=1&a=2"}' },
		{ "a=x+y%20z", '{"again":"x y z","all":["x y z"],"first":"x y z","list":["a=x y z"],"text":"a=x+y%20z"}' },
		{ "%61=1", '{"again":"1","all":["1"],"first":"1","list":["a=1"],"text":"%61=1"}' },
		{ "a=%zz&", '{"again":"%zz","all":["%zz"],"first":"%zz","list":["a=%zz"],"text":"a=%zz&"}' },
		{ "a", '{"again":"","all":[""],"first":"","list":["a="],"text":"a"}' },
		{ "a=1;b=2", '{"again":"1;b=2","all":["1;b=2"],"first":"1;b=2","list":["a=1;b=2"],"text":"a=1;b=2"}' },
	}
	for _, case in ipairs(cases) do
		it("reads " .. case[1], function()
			assert.equal(case[2], connection:fetch("POST", "/form", { type }, case[1]).body)
		end)
	end

	it("takes the type with parameters, in any case", function()
		local response = connection:fetch("POST", "/form", { "Content-Type: APPLICATION/x-www-form-urlencoded; charset=utf-8" }, "a=1")
		assert.equal(200, response.status)
	end)

	for _, other in ipairs({ "Content-Type: application/json", "Content-Type: application/x-www-form-urlencodedx", "X: y" }) do
		it("refuses another type with 415: " .. other, function()
			assert.equal(415, connection:fetch("POST", "/form", { other }, "a=1").status)
		end)
	end

	it("refuses more than a thousand fields with 400", function()
		assert.equal(400, connection:fetch("POST", "/form", { type }, ("a=1&"):rep(1001)).status)
	end)

	it("is bounded by the limit of the content", function()
		assert.equal(413, connection:fetch("POST", "/small", { type }, "a=1234").status)
	end)

	it("raises when the content was taken", function()
		assert.equal(500, connection:fetch("POST", "/taken", { type }, "a=1").status)
	end)

	it("reads what comes byte by byte", function()
		connection:send("POST /form HTTP/1.1\r\nHost: a\r\n", type, "\r\nContent-Length: 7\r\n\r\n")
		for byte in ("a=1&b=2"):gmatch(".") do
			connection:send(byte)
		end
		assert.equal(cases[1][2], connection:response().body)
	end)
end)
