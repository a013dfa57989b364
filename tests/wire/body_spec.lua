local around = require("tests.support.around")

-- Runs the code in the header X-Run.
local run = [[
return function(request, response)
	return assert(load("local request, response = ... " .. request.headers["x-run"], "=run"))(request, response)
end
]]

-- The same, but only as much content as that.
local function limited(bytes)
	return ("local route = { limits = { body = %s } } route.POST = (function() %s end)() return route"):format(bytes, run)
end

local chunked = "Transfer-Encoding: chunked"

describe("a request's content", function()
	local gateway, connection

	around({ files = {
		["handlers/run.lua"] = run,
		["handlers/small.lua"] = limited(10),
		["handlers/none.lua"] = limited(0),
		["handlers/huge.lua"] = limited("math.huge"),
		["handlers/touch.lua"] = [[
			local count = 0
			return {
				limits = { body = 10 },
				POST = function() count = count + 1 return 204 end,
				GET = function() return tostring(count) end,
			}]],
	} }, function(...)
		gateway, connection = ...
	end)

	local function post(code, body, target)
		return connection:fetch("POST", target or "/run", { "X-Run: " .. code }, body)
	end

	-- Sends the pieces as chunks; trailers are lines.
	local function post_chunks(code, pieces, trailers, target)
		connection:ask("POST", target or "/run", { "X-Run: " .. code, chunked })
		for _, piece in ipairs(pieces) do
			connection:send(("%x\r\n"):format(#piece), piece, "\r\n")
		end
		local lines = table.concat(trailers or {}, "\r\n")
		return connection:send("0\r\n", lines, #lines > 0 and "\r\n" or "", "\r\n"):response()
	end

	describe("by text()", function()
		local code = "return 200, request:text() .. '.'"

		it("is a string of all bytes", function()
			assert.equal("a\0b\r\n\255.", post(code, "a\0b\r\n\255").body)
		end)

		it("is an empty string when there is none", function()
			assert.equal(".", post(code).body)
			assert.equal(".", post(code, "").body)
			assert.equal(".", post_chunks(code, {}).body)
		end)

		it("is what was in the chunks", function()
			assert.equal("abcdef.", post_chunks(code, { "abc", "d", "ef" }).body)
		end)

		it("is as large as the client wants", function()
			local body = ("0123456789abcdef"):rep(2 ^ 16) .. "end"
			assert.equal(body .. ".", post(code, body).body)
		end)

		it("is awaited byte by byte", function()
			connection:ask("POST", "/run", { "X-Run: response:write('go ') response:write(request:text())", "Content-Length: 5" })
			assert.equal("go ", (connection:head() and connection:chunk()))
			for byte in ("hello"):gmatch(".") do
				assert.is_true(connection:is_silent(0.002))
				connection:send(byte)
			end
			assert.equal("hello", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("is awaited byte by byte in chunks, size lines and trailers", function()
			connection:ask("POST", "/run", { "X-Run: response:write('go ') response:write(request:text())", chunked })
			assert.equal("go ", (connection:head() and connection:chunk()))
			for byte in ("3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-A: b\r\n\r\n"):gmatch(".") do
				assert.is_true(connection:is_silent(0.001))
				connection:send(byte)
			end
			assert.equal("abcde", connection:chunk())
			assert.is_nil(connection:chunk())
		end)
	end)

	describe("by json()", function()
		local cases = {
			{ "an object", "return request:json().a", '{"a": "b"}', "b" },
			{ "an array", "return request:json()[2]", '["a", "b"]', "b" },
			{ "a bare value", "return tostring(request:json())", " 9007199254740993 ", "9007199254740993" },
			{ "null, which is json.null", "return tostring(request:json() == require('tidegate.json').null)", "null", "true" },
			{ "nothing to do with the content type", "return request.headers['content-type'] or request:json()", '"x"', "x" },
		}
		for _, case in ipairs(cases) do
			local what, code, body, expected = table.unpack(case)
			it("is " .. what, function()
				assert.equal(expected, post(code, body).body)
			end)
		end

		it("is awaited", function()
			assert.equal("b", post_chunks("return request:json().a", { '{"a', '":"', 'b"}' }).body)
		end)

		local malformed = { "", "{", "{}{}", "{'a': 1}", "[1,]", "nul", '"\255"', "\0", "NaN" }
		for _, body in ipairs(malformed) do
			it(("is answered with 400 when it is malformed: %q"):format(body), function()
				local response = post("request:json() return 'not reached'", body)
				assert.equal(400, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
				assert.matches('"detail":"the content is not JSON: line 1, column %d+: ', response.body)
			end)
		end

		it("raises a failure that can be caught", function()
			local response = post("local _, e = pcall(request.json, request) return e.status .. ' ' .. e.message", "{")
			assert.matches("^400 the content is not JSON: ", response.body)
		end)
	end)

	describe("by buffer()", function()
		it("is a buffer of all bytes", function()
			assert.equal("5 hello", post("local b = request:buffer() return #b .. ' ' .. b:take()", "hello").body)
			assert.equal("0", post("return tostring(#request:buffer())").body)
			assert.equal("ab", post_chunks("return tostring(request:buffer())", { "a", "b" }).body)
		end)

		it("is not limited by what is received ahead", function()
			local body = ("x"):rep(1000000)
			assert.equal("1000000", post("return tostring(#request:buffer())", body).body)
		end)
	end)

	describe("by chunks()", function()
		it("comes piece by piece, while the client waits for answers", function()
			connection:ask("POST", "/run", { "X-Run: for piece in request:chunks() do response:write('<' .. piece .. '>') end", chunked })
			for i, word in ipairs({ "ebb", "flood", "slack" }) do
				connection:send(("%x\r\n%s\r\n"):format(#word, word))
				if i == 1 then
					assert.equal(200, connection:head().status)
				end
				assert.equal("<" .. word .. ">", connection:chunk())
			end
			connection:send("0\r\n\r\n")
			assert.is_nil(connection:chunk())
		end)

		it("comes piece by piece with a content length too", function()
			connection:ask("POST", "/run", { "X-Run: for piece in request:chunks() do response:write(piece) end", "Content-Length: 4" })
			connection:send("ab")
			assert.equal(200, connection:head().status)
			assert.equal("ab", connection:chunk())
			connection:send("cd")
			assert.equal("cd", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("has no piece when there is no content", function()
			assert.equal("none", post("for _ in request:chunks() do return 'some' end return 'none'").body)
			assert.equal("none", post_chunks("for _ in request:chunks() do return 'some' end return 'none'", {}).body)
		end)

		it("has pieces of at most 64 KiB", function()
			local code = "local most, sum = 0, 0 for piece in request:chunks() do most = math.max(most, #piece) "
				.. "sum = sum + #piece end return (most <= 65536 and 'small' or 'large') .. ' ' .. sum"
			assert.equal("small 700000", post(code, ("x"):rep(700000)).body)
			assert.equal("small 700000", post_chunks(code, { ("x"):rep(400000), ("y"):rep(300000) }).body)
		end)

		it("may be left and gone on with", function()
			connection:ask("POST", "/run", { "X-Run: local next_piece, state = request:chunks() response:write(next_piece(state)) "
				.. "for piece in next_piece, state do response:write('<' .. piece) end", "Content-Length: 5" }):send("ab")
			assert.equal("ab", (connection:head() and connection:chunk()))
			connection:send("cde")
			assert.equal("<cde", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("can be read with an iterator that waits inside pcall and coroutine.wrap", function()
			local code = "local next_piece = coroutine.wrap(function() for piece in request:chunks() do coroutine.yield(piece) end end) "
				.. "while true do local _, piece = pcall(next_piece) if not piece then break end response:write(piece) end"
			connection:ask("POST", "/run", { "X-Run: " .. code, chunked }):send("1\r\na\r\n")
			assert.equal("a", (connection:head() and connection:chunk()))
			connection:send("1\r\nb\r\n")
			assert.equal("b", connection:chunk())
			connection:send("0\r\n\r\n")
			assert.is_nil(connection:chunk())
		end)
	end)

	describe("is kept once it was read whole:", function()
		local again = {
			text = "return request:text()",
			json = "return tostring(request:json()[1])",
			buffer = "return 200, tostring(request:buffer())",
			chunks = "local all = '' for piece in request:chunks() do all = all .. piece end return all",
		}
		for _, first in ipairs({ "request:text()", "request:json()" }) do
			for name, code in pairs(again) do
				it(("%s() gives it after %s"):format(name, first), function()
					local expected = name == "json" and "1" or "[1]"
					assert.equal(expected, post(first .. " " .. code, "[1]").body)
					assert.equal(expected, post_chunks(first .. " " .. code, { "[", "1]" }).body)
				end)
			end
		end

		it("but an empty one has no chunks", function()
			assert.equal("none", post("request:text() for _ in request:chunks() do return 'some' end return 'none'", "").body)
		end)
	end)

	describe("is gone once it was taken:", function()
		local cases = {
			{ "request:buffer()", "request:text()" },
			{ "request:buffer()", "request:json()" },
			{ "for _ in request:chunks() do end", "request:text()" },
			{ "request:chunks()", "request:json()" },
			{ "request:chunks()", "request:chunks()" },
			{ "request:buffer()", "request:buffer()" },
		}
		for _, case in ipairs(cases) do
			local first, second = table.unpack(case)
			it(("%s raises after %s"):format(second, first), function()
				local code = ("%s local _, m = pcall(function() %s end) return m"):format(first, second)
				assert.equal("run:1: the content was taken by buffer(), chunks() or multipart()", post(code, "[1]").body)
			end)
		end
	end)

	describe("has trailers", function()
		local code = "request:text() return request:trailers()"

		it("with names in lower case", function()
			local response = post_chunks("request:text() local t = request:trailers() return t['x-sum'] .. t['x-b']",
				{ "a" }, { "X-Sum:  7 ", "x-B: c" })
			assert.equal("7c", response.body)
		end)

		it("that are no headers", function()
			local response = post_chunks("request:text() return tostring(request.headers['x-sum'])", { "a" }, { "X-Sum: 7" })
			assert.equal("nil", response.body)
		end)

		it("that are empty when there are none", function()
			assert.equal("{}", post_chunks(code, { "a" }).body)
			assert.equal("{}", post(code, "a").body)
			assert.equal("{}", post(code).body)
		end)

		it("that raise before the content was read", function()
			connection:ask("POST", "/run", { "X-Run: local _, m = pcall(request.trailers, request) response:write(m)", chunked })
			assert.equal("trailers come after the content: read it first", (connection:head() and connection:chunk()))
		end)
	end)

	describe("is limited:", function()
		local read = "return tostring(#request:text())"

		it("as much as the limit is taken", function()
			assert.equal("10", post(read, ("x"):rep(10), "/small").body)
			assert.equal("10", post_chunks(read, { "12345", "67890" }, nil, "/small").body)
			assert.equal("0", post(read, "", "/none").body)
		end)

		it("more that is announced is answered with 413", function()
			local response = post(read, ("x"):rep(11), "/small")
			assert.equal(413, response.status)
			assert.equal("application/problem+json", response.headers["content-type"])
			assert.equal(413, gateway:fetch("POST", "/none", nil, "x").status)
		end)

		it("more that is announced is not waited for", function()
			connection:ask("POST", "/small", { "X-Run: " .. read, "Content-Length: 11" })
			assert.equal(413, connection:response().status)
		end)

		it("more that is announced does not reach the handler", function()
			assert.equal(413, connection:fetch("POST", "/touch", nil, ("x"):rep(11)).status)
			assert.equal("0", gateway:get("/touch").body)
		end)

		it("more in chunks is answered with 413 when the handler reads", function()
			connection:ask("POST", "/small", { "X-Run: " .. read, chunked }):send("6\r\n123456\r\n5\r\n12345\r\n")
			assert.equal(413, connection:response().status)
		end)

		it("more in chunks is answered with 413 while the handler waits", function()
			connection:ask("POST", "/small", { "X-Run: for piece in request:chunks() do "
				.. "require('tidegate.log').info('read ' .. piece) end", chunked })
			connection:send("6\r\nebbing\r\n")
			gateway:wait_log("read ebbing")
			connection:send("5\r\n12345\r\n")
			assert.equal(413, connection:response().status)
		end)

		it("more in chunks cannot be read by a handler that catches it", function()
			local code = "local _, e = pcall(request.text, request) response:write(e.status) "
				.. "_, e = pcall(request.text, request) response:write(e.status)"
			connection:ask("POST", "/small", { "X-Run: " .. code, chunked }):send("b\r\n12345678901\r\n0\r\n\r\n")
			assert.equal("413413", connection:response().body)
		end)

		it("a handler that does not read chunks answers as it likes", function()
			connection:ask("POST", "/small", { "X-Run: return 'fine'", chunked }):send("b\r\n12345678901\r\n0\r\n\r\n")
			assert.equal("fine", connection:response().body)
		end)

		it("to 10 MiB without a limit of its own", function()
			connection:ask("POST", "/run", { "X-Run: return 'fine'", "Content-Length: 10485761" })
			assert.equal(413, connection:response().status)
			connection:close()
			connection = gateway:connect()
			connection:ask("POST", "/run", { "X-Run: return 'fine'", "Content-Length: 10485760" })
			assert.equal("fine", connection:response().body)
		end)

		it("not at all with math.huge", function()
			connection:ask("POST", "/huge", { "X-Run: return 'fine'", "Content-Length: 9000000000000000000" })
			assert.equal("fine", connection:response().body)
		end)

		it("a 413 closes a connection whose content is still to come", function()
			connection:ask("POST", "/small", { "X-Run: " .. read, "Content-Length: 5000000" })
			local response = connection:response()
			assert.equal("close", response.headers.connection)
			assert.is_true(connection:is_closed())
		end)
	end)

	describe("behind Expect: 100-continue", function()
		local function expect(code, ...)
			return connection:ask("POST", "/run", { "X-Run: " .. code, "Expect: 100-continue", ... })
		end

		for name, code in pairs({
			text = "return request:text()",
			json = "return request:json()",
			buffer = "return 200, tostring(request:buffer())",
			chunks = "for piece in request:chunks() do return piece end",
		}) do
			it(("is asked for when the handler reads by %s()"):format(name), function()
				expect(code, "Content-Length: 3")
				local interim = connection:head()
				assert.equal(100, interim.status)
				assert.equal("Continue", interim.reason)
				assert.same({}, interim.list)
				assert.is_true(connection:is_silent())
				local response = connection:send('"a"'):response()
				assert.equal(200, response.status)
				assert.matches("a", response.body)
			end)
		end

		it("is asked for once", function()
			expect("for piece in request:chunks() do response:write(piece) end", chunked)
			assert.equal(100, connection:head().status)
			connection:send("1\r\na\r\n")
			assert.equal(200, connection:head().status)
			assert.equal("a", connection:chunk())
			connection:send("1\r\nb\r\n0\r\n\r\n")
			assert.equal("b", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("is not asked for when the handler answers without it", function()
			expect("return 409", "Content-Length: 3")
			local response = connection:response()
			assert.equal(409, response.status)
			assert.equal("close", response.headers.connection)
			assert.is_true(connection:is_closed())
		end)

		it("is not asked for when it is too large", function()
			connection:ask("POST", "/small", { "X-Run: return request:text()", "Expect: 100-continue", "Content-Length: 11" })
			assert.equal(413, connection:response().status)
		end)

		it("is not asked for when there is none", function()
			expect("return 200, request:text() .. '.'", "Content-Length: 0")
			assert.equal(".", connection:response().body)
		end)

		it("is not asked for when it has come already", function()
			connection:ask("POST", "/run", { "X-Run: return request:text()", "Expect: 100-continue" }, "abc")
			assert.equal("abc", connection:response().body)
		end)

		it("is not asked for after the response has begun", function()
			expect("response:write('go ') response:write(request:text())", "Content-Length: 1")
			assert.equal(200, connection:head().status)
			assert.equal("go ", connection:chunk())
			connection:send("a")
			assert.equal("a", connection:chunk())
		end)

		it("is not asked for in HTTP/1.0", function()
			connection:send("POST /run HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n",
				"X-Run: require('tidegate.log').info('reads') return request:text()\r\n\r\n")
			gateway:wait_log('"msg":"reads"')
			assert.is_true(connection:is_silent())
			assert.equal("abc", connection:send("abc"):response().body)
		end)

		it("keeps the connection", function()
			expect("return request:text()", "Content-Length: 1")
			assert.equal(100, connection:head().status)
			assert.equal("a", connection:send("a"):response().body)
			assert.equal("next", post("return 'next'").body)
		end)
	end)

	it("behind any other expectation is refused with 417", function()
		connection:ask("POST", "/run", { "X-Run: return 'x'", "Expect: a-miracle" }, "abc")
		assert.equal(417, connection:response().status)
	end)

	describe("that nobody reads", function()
		local cases = {
			{ "with a length", "Content-Length: 5\r\n\r\nhello" },
			{ "in chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n" },
			{ "that looks like a request", "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n" },
		}
		for _, case in ipairs(cases) do
			local what, content = table.unpack(case)
			it(what .. " does not disturb the next request", function()
				connection:send("POST /run HTTP/1.1\r\nHost: a\r\nX-Run: return 'one'\r\n", content,
					"GET /run HTTP/1.1\r\nHost: a\r\nX-Run: return 'two'\r\n\r\n")
				assert.equal("one", connection:response().body)
				assert.equal("two", connection:response().body)
			end)
		end

		it("and that is still to come is skipped", function()
			connection:ask("POST", "/run", { "X-Run: return 'one'", "Content-Length: 5" }):send("he")
			assert.equal("one", connection:response().body)
			connection:send("llo"):ask("GET", "/run", { "X-Run: return 'two'" })
			assert.equal("two", connection:response().body)
		end)

		it("and that would be too much to skip ends the connection", function()
			connection:ask("POST", "/run", { "X-Run: return 'one'", "Content-Length: 9000000" }):send("he")
			local response = connection:response()
			assert.equal("one", response.body)
			assert.equal("close", response.headers.connection)
			assert.is_true(connection:is_closed())
		end)

		it("while it is read half is skipped too", function()
			connection:ask("POST", "/run", { "X-Run: for piece in request:chunks() do return piece end", "Content-Length: 5" })
			connection:send("he")
			assert.equal("he", connection:response().body)
			connection:send("llo"):ask("GET", "/run", { "X-Run: return request:text() .. 'two'" })
			assert.equal("two", connection:response().body)
		end)
	end)

	describe("that is malformed", function()
		it("is refused with 400 while the handler waits for it", function()
			connection:ask("POST", "/run", { "X-Run: require('tidegate.log').info('awaits') return request:text()", chunked })
			connection:send("1\r\na\r\n")
			gateway:wait_log('"msg":"awaits"')
			connection:send("z\r\n")
			assert.equal(400, connection:response().status)
			assert.is_true(connection:is_closed())
		end)

		it("cuts a response that has begun", function()
			connection:ask("POST", "/run", { "X-Run: response:write('go') request:text() response:write('not reached')", chunked })
			assert.equal("go", (connection:head() and connection:chunk()))
			connection:send("z\r\n")
			assert.has_error(function() connection:chunk() end)
		end)
	end)
end)
