local around = require("tests.support.around")

-- Runs the code in the header X-Run.
local run = [[
return function(request, response)
	return assert(load("local request, response = ... " .. request.headers["x-run"], "=run"))(request, response)
end
]]

local small = "local route = { limits = { body = 10 } } route.POST = (function() " .. run .. " end)() return route"

local urlencoded = "Content-Type: application/x-www-form-urlencoded"
local multipart = "Content-Type: multipart/form-data; boundary=b"

local function part(disposition, content)
	return ("--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"):format(disposition, content)
end

describe("request:form()", function()
	local gateway, connection

	around({ files = { ["handlers/run.lua"] = run, ["handlers/small.lua"] = small } }, function(...)
		gateway, connection = ...
	end)

	local function post(code, body, headers, target)
		local lines = { "X-Run: " .. code }
		table.move(headers or { urlencoded }, 1, #(headers or { urlencoded }), 2, lines)
		return connection:fetch("POST", target or "/run", lines, body)
	end

	local cases = {
		{ "the first value of a name", "a=1&a=2", "return request:form().a", "1" },
		{ "nil for a name that is missing", "a=1", "return tostring(request:form().b)", "nil" },
		{ "all values of a name", "a=1&b=x&a=2&a=", "return request:form()('a')", '["1","2",""]' },
		{ "a marked array for a name that is missing", "a=1", "return request:form()('b')", "[]" },
		{ "an empty string for a name without =", "a&b=", "return request:form().a .. request:form().b .. '.'", "." },
		{ "values that are percent-decoded", "%61%26=%3d%C3%BC", "return request:form()", '{"a&":"=ü"}' },
		{ "values with + as a space", "a+b=c+d%2B", "return request:form()", '{"a b":"c d+"}' },
		{ "malformed escapes as they are", "a=%zz%4", "return request:form().a", "%zz%4" },
		{ "a semicolon as it is", "a=1;b=2", "return request:form().a", "1;b=2" },
		{ "an empty name", "=1&x=2", "return request:form()['']", "1" },
		{ "bytes that are no UTF-8", "a=%FF", "return request:form().a", "\255" },
		{ "an encoded NUL", "a=%00", "return tostring(#request:form().a)", "1" },
		{ "line ends", "a=1%0D%0A2\r\n", "return request:form().a", "1\r\n2\r\n" },
		{ "nothing of no content", "", "return request:form()", "{}" },
		{ "one table", "a=1", "return tostring(rawequal(request:form(), request:form()))", "true" },
		{ "a table for pairs", "a=1", "for name, value in pairs(request:form()) do return name .. value end", "a1" },
		{ "what text() gives, too", "a=1", "return request:form().a .. request:text()", "1a=1" },
		{ "what text() has read", "a=1", "return request:text() .. request:form().a", "a=11" },
	}
	for _, case in ipairs(cases) do
		local what, body, code, expected = table.unpack(case)
		it("has " .. what, function()
			assert.equal(expected, post(code, body).body)
		end)
	end

	it("is awaited byte by byte", function()
		connection:ask("POST", "/run", { "X-Run: response:write('go ') response:write(request:form().b)", urlencoded,
			"Content-Length: 7" })
		assert.equal("go ", (connection:head() and connection:chunk()))
		for byte in ("a=1&b=2"):gmatch(".") do
			assert.is_true(connection:is_silent(0.002))
			connection:send(byte)
		end
		assert.equal("2", connection:chunk())
		assert.is_nil(connection:chunk())
	end)

	it("has at most 1000 fields", function()
		local code = "return tostring(#request:form()('a'))"
		assert.equal("1000", post(code, ("a=1&"):rep(1000)).body)
		local refused = post(code, ("a=1&"):rep(1001))
		assert.equal(400, refused.status)
		assert.matches('"detail":"too many form fields"', refused.body)
		assert.equal(400, post(code, part('name="a"', ""):rep(1001) .. "--b--", { multipart }).status)
	end)

	it("is as large as the route's limit allows", function()
		assert.equal("123456", post("return request:form().abc", "abc=123456", nil, "/small").body)
		assert.equal(413, post("return request:form().abc", "abc=1234567", nil, "/small").status)
		connection:close()
		connection = gateway:connect()
		connection:ask("POST", "/small", { "X-Run: return request:form().abc", urlencoded, "Transfer-Encoding: chunked" })
		connection:send("b\r\nabc=1234567\r\n0\r\n\r\n")
		assert.equal(413, connection:response().status)
	end)

	it("takes its type in any case, and with parameters", function()
		for _, kind in ipairs({ "Application/X-WWW-Form-URLencoded", "application/x-www-form-urlencoded; charset=utf-8",
			"application/x-www-form-urlencoded ;x" }) do
			assert.equal("1", post("return request:form().a", "a=1", { "Content-Type: " .. kind }).body)
		end
	end)

	it("is of no other type", function()
		for _, kind in ipairs({ "text/plain", "application/json", "application/x-www-form-urlencodedx",
			"application/x-www-form-urlencoded x", "multipart/mixed; boundary=b", "" }) do
			local refused = post("return request:form().a", "a=1", { "Content-Type: " .. kind })
			assert.equal(415, refused.status)
			assert.matches("the content is neither application/x%-www%-form%-urlencoded nor multipart/form%-data", refused.body)
		end
		assert.equal(415, post("return request:form().a", "a=1", {}).status)
		assert.equal(400, post("return request:form().a", "a=1", { urlencoded, urlencoded }).status)
	end)

	it("raises at the caller's line once the content was taken", function()
		local code = "request:buffer() local _, m = pcall(function() request:form() end) return m"
		assert.equal("run:1: the content was taken by buffer(), chunks() or multipart()", post(code, "a=1").body)
	end)

	describe("of multipart/form-data", function()
		local function fill(code, body)
			return post(code, body, { multipart })
		end

		it("has the values of its fields", function()
			local body = part('name="a"', "1") .. part('name="b"', "") .. part('name="a"', "2\r\n+%20") .. "--b--\r\n"
			assert.equal('{"a":"1","b":""}', fill("return request:form()", body).body)
			assert.equal('["1","2\\r\\n+%20"]', fill("return request:form()('a')", body).body)
		end)

		it("leaves out the files", function()
			local body = part('name="f"; filename="x.txt"', "file") .. part('name="a"', "1")
				.. part('name="g"; filename=""', "") .. "--b--\r\n"
			assert.equal('{"a":"1"}', fill("return request:form()", body).body)
		end)

		it("may be empty", function()
			assert.equal("{}", fill("return request:form()", "--b--\r\n").body)
		end)

		it("undoes what browsers do to names", function()
			assert.equal("1", fill("return request:form()['a\"b\\r\\n%25']", part('name="a%22b%0D%0A%25"', "1") .. "--b--").body)
		end)

		it("is kept, and so is the text", function()
			local code = "return request:form().a .. #request:text() .. request:form().a"
			local body = part('name="a"', "1") .. "--b--"
			assert.equal("1" .. #body .. "1", fill(code, body).body)
		end)

		it("that is malformed is answered with 400", function()
			for _, body in ipairs({ "", "x", part('name="a"', "1"), part('nam="a"', "1") .. "--b--" }) do
				assert.equal(400, fill("return request:form()", body).status)
			end
			local refused = post("return request:form()", "--b--", { "Content-Type: multipart/form-data" })
			assert.equal(400, refused.status)
			assert.matches("the content%-type has no valid boundary", refused.body)
		end)

		it("of a type that is changed meanwhile is what it was", function()
			connection:ask("POST", "/run", { "X-Run: local timer = require('tidegate.timer') "
				.. "timer.after(0, function() request.headers['content-type'] = 'multipart/form-data' response:write('now ') end) "
				.. "response:write(request:form().a)", multipart, "Transfer-Encoding: chunked" })
			assert.equal("now ", (connection:head() and connection:chunk()))
			local body = part('name="a"', "1") .. "--b--"
			connection:send(("%x\r\n%s\r\n0\r\n\r\n"):format(#body, body))
			assert.equal("1", connection:chunk())
			assert.is_nil(connection:chunk())
		end)
	end)
end)
