local client = require("tests.support.client")
local server = require("tests.support.server")

-- Answers with the value of the expression in the header X-Show, as JSON; or
-- with the message of the error that it raises.
local show = [[
local json = require("tidegate.json")

local function value_of(code, ...)
	return assert(load("local request, response = ... return " .. code, "=show"))(...)
end

return function(request, response)
	local ok, value = pcall(value_of, request.headers["x-show"], request, response)
	return ok and json.encode(value, { sort = true }) or "raised: " .. tostring(value)
end
]]

-- Keeps what belongs to its exchange, and uses it in a later one.
local keep = [[
local kept

return function(request, response)
	local code = request.headers["x-use"]
	if not code then
		kept = { request = request, response = response, headers = request.headers,
			sent = response.headers, chunks = request:chunks(), next_field = pairs(request.headers) }
		return "kept"
	end
	local _, message = pcall(load("local kept = ... return " .. code), kept)
	return tostring(message)
end
]]

local later = [[
local log = require("tidegate.log")
local timer = require("tidegate.timer")

return function(request)
	timer.after(0.01, function()
		local _, message = pcall(function() return request.method end)
		log.info("later", { message = message })
	end)
	return 204
end
]]

describe("a request", function()
	local gateway

	lazy_setup(function()
		gateway = server.start({ files = {
			["handlers/{rest...}.lua"] = show,
			["handlers/users/{id:int}/{name}.lua"] = show,
			["handlers/none.lua"] = show,
			["handlers/keep.lua"] = keep,
			["handlers/later.lua"] = later,
			["handlers/name.lua"] = "return function(request) request.locals.n = 1 return tostring(request) end",
			["handlers/m/_middleware.lua"] = [[
				return function(request, response, next)
					request.locals.user = "Ada"
					request.headers["x-show"] = "request.locals"
					return next()
				end]],
			["handlers/m/locals.lua"] = show,
		} })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	local function see(code, target, headers, method)
		local lines = { "X-Show: " .. code }
		table.move(headers or {}, 1, #(headers or {}), 2, lines)
		return gateway:fetch(method or "GET", target or "/x", lines)
	end

	-- Sends a whole head, byte for byte.
	local function send(...)
		local connection = gateway:connect()
		local response = connection:send(table.concat({ ... }, "\r\n"), "\r\n\r\n"):response()
		connection:close()
		return response
	end

	for _, method in ipairs({ "GET", "POST", "DELETE", "PROPFIND", "get" }) do
		it("has the method " .. method .. " as it was sent", function()
			assert.equal(('"%s"'):format(method), see("request.method", "/x", nil, method).body)
		end)
	end

	describe("has a path that", function()
		local cases = {
			{ "is plain", "/a/b", "/a/b" },
			{ "ends before the query", "/a?b=/c", "/a" },
			{ "is percent-decoded", "/%61%20%c3%bc", "/a ü" },
			{ "keeps an encoded slash", "/a%2Fb%2fc", "/a%2Fb%2fc" },
			{ "keeps a plus", "/a+b", "/a+b" },
			{ "is decoded once only", "/a%2541", "/a%41" },
			{ "has no single dots", "/a/./b/.", "/a/b/" },
			{ "has no double dots", "/a/../b/c/..", "/b/" },
			{ "has no encoded dots", "/a/%2e%2E/b/%2e", "/b/" },
			{ "does not climb above the root", "/../../a", "/a" },
			{ "keeps dots in names", "/..a/.b/c..", "/..a/.b/c.." },
			{ "keeps empty segments", "//a//b/", "//a//b/" },
			{ "leaves the empty segment before double dots", "/a//../b", "/a/b" },
			{ "is that of an absolute target", "http://other/a?b", "/a" },
			{ "is / in an absolute target without one", "http://other", "/" },
		}
		for _, case in ipairs(cases) do
			local what, target, path = table.unpack(case)
			it(what, function()
				assert.equal(('"%s"'):format(path), see("request.path", target).body)
			end)
		end

		for _, target in ipairs({ "/%", "/%4", "/%zz", "/a%00b", "/%2" }) do
			it("is refused with 400 as " .. target, function()
				local response = see("request.path", target)
				assert.equal(400, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
			end)
		end

		it("may have a malformed escape behind the ?", function()
			assert.equal('"/a"', see("request.path", "/a?%zz").body)
		end)
	end)

	it("has its target as it was sent", function()
		assert.equal('"/a/../%62?c=%20&d"', see("request.target", "/a/../%62?c=%20&d").body)
		assert.equal('"http://other/a?b"', see("request.target", "http://other/a?b").body)
	end)

	describe("has a query", function()
		local cases = {
			{ "with the first value of a name", "a=1&a=2", "request.query.a", '"1"' },
			{ "with nil for a name that is missing", "a=1", "request.query.b", "null" },
			{ "that may be missing", nil, "request.query.a", "null" },
			{ "that may be empty", "", "request.query", "{}" },
			{ "with an empty string for a name without =", "a&b=", "{ request.query.a, request.query.b }", '["",""]' },
			{ "that is percent-decoded", "%61%26=%3d%C3%BC", "request.query", '{"a&":"=ü"}' },
			{ "with + as a space", "a+b=c+d", "request.query", '{"a b":"c d"}' },
			{ "with %2B as a plus", "a=%2B", "request.query.a", '"+"' },
			{ "that keeps malformed escapes", "a=%zz%4", "request.query.a", '"%zz%4"' },
			{ "that keeps what stands behind a second =", "a=b=c", "request.query.a", '"b=c"' },
			{ "that takes a second ? as text", "a=?b", "request.query.a", '"?b"' },
			{ "without pairs between &&", "&&a=1&&b=2&", "request.query", '{"a":"1","b":"2"}' },
			{ "that lists all values of a name", "a=1&b=x&a=2&a=", 'request.query("a")', '["1","2",""]' },
			{ "that lists one value", "a=1", 'request.query("a")', '["1"]' },
			{ "that lists nothing for a missing name", "a=1", '#request.query("b")', "0" },
			{ "that may have an encoded NUL", "a=%00", "#request.query.a", "1" },
			{ "with ; as a part of a value", "a=1;b=2", "request.query.a", '"1;b=2"' },
			{ "with an empty name", "=1&a=2", "request.query['']", '"1"' },
			{ "with bytes that are no UTF-8", "a=%FF%FE", "{ request.query.a:byte(1, -1) }", "[255,254]" },
			{ "that is one table", "a=1", "rawequal(request.query, request.query)", "true" },
		}
		for _, case in ipairs(cases) do
			local what, query, code, expected = table.unpack(case, 1, 4)
			it(what, function()
				assert.equal(expected, see(code, "/x" .. (query and "?" .. query or "")).body)
			end)
		end

		it("that is refused with more than 1000 parameters", function()
			local code = "request.query.a"
			assert.equal('"1"', see(code, "/x?" .. ("a=1&"):rep(1000)).body)
			assert.equal("raised: 400 too many query parameters", see(code, "/x?" .. ("a=1&"):rep(1001)).body)
		end)
	end)

	describe("has params", function()
		it("from its path, of the types in the template", function()
			assert.equal('{"id":7,"name":"a%2Fb"}', see("request.params", "/users/7/a%2Fb").body)
			assert.equal('"integer"', see("math.type(request.params.id)", "/users/-7/x").body)
		end)

		it("that are an empty table on a route without", function()
			assert.equal("true", see("next(request.params) == nil and request.params == request.params", "/none").body)
		end)
	end)

	describe("has a host", function()
		local cases = {
			{ "in lower case", "North.Example.COM", "north.example.com" },
			{ "without its port", "example.com:8080", "example.com" },
			{ "that may be an IPv6 address", "[::1]:80", "[::1]" },
			{ "that may be an IPv6 address without a port", "[::1]", "[::1]" },
			{ "that may be empty", "", "" },
		}
		for _, case in ipairs(cases) do
			local what, host, expected = table.unpack(case)
			it(what, function()
				local response = send("GET /x HTTP/1.1", "Host: " .. host, "X-Show: request.host")
				assert.equal(('"%s"'):format(expected), response.body)
			end)
		end

		it("that is empty when HTTP/1.0 sends none", function()
			assert.equal('""', send("GET /x HTTP/1.0", "X-Show: request.host").body)
		end)

		it("that an absolute target overrides", function()
			assert.equal('"other"', see("request.host", "http://Other:81/a").body)
		end)
	end)

	it("has a scheme and a version", function()
		assert.equal('["http","1.1"]', see("{ request.scheme, request.version }").body)
		assert.equal('"1.0"', send("GET /x HTTP/1.0", "X-Show: request.version").body)
	end)

	it("has the address and the port of its client", function()
		local connection = gateway:connect()
		local address, port = connection.stream:getsockname()
		local response = connection:fetch("GET", "/x", { "X-Show: request.remote" })
		assert.equal(('{"address":"%s","port":%d}'):format(address, port), response.body)
		connection:close()
	end)

	it("has an id of its own, which does not change", function()
		local connection = gateway:connect()
		local seen = {}
		for _ = 1, 3 do
			local response = connection:fetch("GET", "/x", { "X-Show: { request.id, request.id }" })
			local first, second = response.body:match('^%["(%x+)","(%x+)"%]$')
			assert.equal(32, #first)
			assert.equal(first, second)
			assert.is_nil(seen[first])
			seen[first] = true
		end
		connection:close()
	end)

	it("has the template of its route", function()
		assert.equal('"/users/{id:int}/{name}"', see("request.route", "/users/7/a").body)
		assert.equal('"/{rest...}"', see("request.route", "/anything").body)
	end)

	it("has the number of its generation", function()
		assert.equal("1", see("request.generation").body)
	end)

	describe("has a content length", function()
		local code = "X-Show: request.content_length"

		it("as it was announced", function()
			assert.equal("5", gateway:fetch("POST", "/x", { code }, "hello").body)
			assert.equal("0", gateway:fetch("POST", "/x", { code }, "").body)
		end)

		it("of nil when none was", function()
			assert.equal("null", see("request.content_length").body)
			local response = send("POST /x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", code, "", "1", "a", "0")
			assert.equal("null", response.body)
		end)
	end)

	describe("has locals", function()
		it("that begin empty", function()
			assert.equal("{}", see("request.locals").body)
			assert.equal("{}", see("request.locals").body)
		end)

		it("that hand values from middleware to the handler", function()
			assert.equal('{"user":"Ada"}', see("1", "/m/locals").body)
		end)
	end)

	it("shows its method and its target as a string", function()
		assert.equal("request GET /name?a=b", gateway:get("/name?a=b").body)
	end)

	it("has all it needs from tables that are made once", function()
		for _, name in ipairs({ "query", "cookies", "params", "headers", "remote", "locals" }) do
			local code = ("rawequal(request.%s, request.%s)"):format(name, name)
			assert.equal("true", see(code).body)
		end
	end)

	describe("raises", function()
		local cases = {
			{ "when an unknown field is read", "request.bdoy", "a request has no field 'bdoy'" },
			{ "when a field that is no string is read", "request[1]", "a request has no field '1'" },
			{ "when a field is set", "(function() request.method = 'GET' end)()", "cannot set 'method' of a request" },
			{ "when an unknown field is set", "(function() request.user = 1 end)()", "request.locals" },
			{ "when a method is called on something else", "request.text({})", "bad argument #1" },
			{ "when a method gets a response", "request.text(response)", "tidegate.request expected" },
			{ "when its metatable is changed", "setmetatable(request, {})", "table expected" },
		}
		for _, case in ipairs(cases) do
			local what, code, message = table.unpack(case)
			it(what, function()
				local body = see(code).body
				assert.equal("raised: ", body:sub(1, 8))
				assert.is_truthy(body:find(message, 1, true), body)
			end)
		end

		it("at the line of its caller", function()
			assert.matches("^raised: show:1: ", see("request.nothing").body)
		end)

		it("not of its metatable, which is hidden", function()
			assert.equal("false", see("getmetatable(request)").body)
		end)
	end)

	describe("that is over", function()
		local cases = {
			"kept.request.method", "kept.request.path", "kept.request.query", "kept.request.cookies", "kept.request.params",
			"kept.request.headers", "kept.request.locals", "kept.request.nothing",
			"kept.request:text()", "kept.request:json()", "kept.request:buffer()",
			"kept.request:chunks()", "kept.request:trailers()", "kept.chunks(kept.request)",
			"kept.headers.host", "kept.headers:all('host')", "pairs(kept.headers)", "#kept.headers",
			"kept.next_field()",
			"kept.sent['x-a']", "kept.sent:add('x-a', 'b')",
			"kept.response.status", "kept.response.headers", "kept.response:write('x')",
			"kept.response:flush()", "kept.response:json({})", "kept.response:redirect('/')",
			"kept.response:finish()",
		}
		for _, code in ipairs(cases) do
			it("raises at " .. code, function()
				local connection = gateway:connect()
				assert.equal("kept", connection:fetch("GET", "/keep").body)
				local response = connection:fetch("GET", "/keep", { "X-Use: " .. code })
				assert.matches("the exchange is over$", response.body)
				connection:close()
			end)
		end

		it("raises in a timer too", function()
			assert.equal(204, gateway:get("/later").status)
			gateway:wait_log('"msg":"later"[^\n]*"message":"[^"]*the exchange is over"')
		end)

		it("can still be shown", function()
			gateway:get("/keep")
			local response = gateway:get("/keep", { "X-Use: error(tostring(kept.request), 0)" })
			assert.equal("request (over)", response.body)
		end)
	end)

	it("has no address on a unix socket", function()
		local path = os.tmpname()
		os.remove(path)
		local other = server.start({ listen = { "unix:" .. path }, files = { ["handlers/{rest...}.lua"] = show } })
		local connection = client.connect(path)
		local response = connection:fetch("GET", "/x", { "X-Show: request.remote" })
		assert.equal('{"address":"","port":0}', response.body)
		connection:close()
		other:stop()
	end)
end)
