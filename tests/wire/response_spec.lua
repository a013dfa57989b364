local around = require("tests.support.around")
local socket = require("socket")

local run = [[
return function(request, response)
	local code = request.headers["x-run"] or request:text()
	return assert(load("local request, response = ... " .. code, "=run"))(request, response)
end
]]

describe("a response", function()
	local gateway, connection

	around({ files = { ["handlers/run.lua"] = run } }, function(...)
		gateway, connection = ...
	end)

	local function post(code)
		return connection:fetch("POST", "/run", nil, code)
	end

	-- One line of code, by any method.
	local function ask(method, code)
		return connection:ask(method, "/run", { "X-Run: " .. code })
	end

	-- One line of code, in HTTP/1.0.
	local function ask_old(code, ...)
		return connection:send(table.concat({ "GET /run HTTP/1.0", "X-Run: " .. code, ... }, "\r\n"), "\r\n\r\n")
	end

	it("has a date", function()
		for _, code in ipairs({ "return 'x'", "return 404", "return 204", "response:write('x')", "error('x')" }) do
			assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", post(code).headers.date)
		end
	end)

	it("has a reason with its status", function()
		assert.equal("Not Found", post("return 404").reason)
		assert.equal("", post("return 299").reason)
	end)

	describe("has a status", function()
		local cases = {
			{ "for a returned body", "response.status = 201 return 'x'", 201 },
			{ "for a returned table", "response.status = 201 return {}", 201 },
			{ "for nothing", "response.status = 404", 404 },
			{ "for a stream", "response.status = 206 response:write('x')", 206 },
			{ "for json()", "response.status = 202 response:json(1)", 202 },
			{ "for finish()", "response.status = 202 response:finish()", 202 },
			{ "that a returned one replaces", "response.status = 201 return 404", 404 },
			{ "that a failure replaces", "response.status = 201 error('x')", 500 },
			{ "that redirect() replaces", "response.status = 201 response:redirect('/')", 302 },
			{ "that may be set again", "response.status = 201 response.status = 203", 203 },
		}
		for _, case in ipairs(cases) do
			local what, code, status = table.unpack(case)
			it(what, function()
				assert.equal(status, post(code).status)
			end)
		end

		it("that is nil until it is set or sent", function()
			assert.equal("nil", post("return tostring(response.status)").body)
			assert.equal("201", post("response.status = 201 return tostring(response.status)").body)
			assert.equal("200", post("response:write('') response:write(tostring(response.status))").body)
		end)
	end)

	describe("of a stream", function()
		it("is chunked, a chunk for each write", function()
			local response = post("response:write('ab') response:write('c')")
			assert.equal(200, response.status)
			assert.equal("chunked", response.headers["transfer-encoding"])
			assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
			assert.equal("abc", response.body)
			assert.equal(2, response.chunks)
			assert.same({}, response.trailers)
		end)

		it("keeps the connection", function()
			post("response:write('ab')")
			assert.equal("next", post("return 'next'").body)
		end)

		it("sends each piece at once", function()
			ask("GET", "response:write('go ') require('tidegate.timer').sleep(0.02) response:write('on')")
			assert.equal("go ", (connection:head() and connection:chunk()))
			assert.equal("on", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("takes numbers and buffers, which it empties", function()
			local code = "local b = require('tidegate.buffer').new('b', 'c') "
				.. "response:write(1) response:write(1.5) response:write(b) response:write(#b)"
			assert.equal("11.5bc0", post(code).body)
		end)

		it("is not ended by an empty piece", function()
			local response = post("response:write('a') response:write('') response:write('b')")
			assert.equal("ab", response.body)
			assert.equal(2, response.chunks)
			assert.equal("b", post("response:write('') response:write('b')").body)
			assert.equal("", post("response:write('')").body)
		end)

		it("can be chained", function()
			assert.equal("abc", post("response:write('a'):flush():write('b'):write('c')").body)
		end)

		it("carries any bytes", function()
			assert.equal("\r\n\0" .. "0\r\n\r\n", post("response:write('\\r\\n\\0' .. '0\\r\\n\\r\\n')").body)
		end)

		it("may be larger than the client takes at once", function()
			local response = post("for i = 1, 200 do response:write(('%07d\\n'):format(i):rep(2000)) end")
			assert.equal(200 * 16000, #response.body)
			for i = 1, 200 do
				assert.equal(("%07d\n"):format(i), response.body:sub(16000 * i - 7, 16000 * i))
			end
		end)

		it("makes its writer wait for a slow client", function()
			ask("GET", "response.headers['content-length'] = 100 * 2 ^ 20 // 1 | 0 local log = require('tidegate.log') "
				.. "for i = 1, 100 do response:write(('x'):rep(2 ^ 20)) if i % 33 == 1 then log.info('wrote', { piece = i }) end end")
			gateway:wait_log('"piece":1}')
			connection:head()
			assert.equal("other", gateway:get("/run", { "X-Run: return 'other'" }).body) -- by then it waits
			assert.is_nil(gateway:log():find('"piece":100}', 1, true))
			local rest = 0
			while rest < 100 * 2 ^ 20 do
				rest = rest + #assert(connection.stream:receive(2 ^ 20))
			end
			gateway:wait_log('"piece":100}')
		end)

		it("can be flushed before there is any of it", function()
			ask("GET", "response.status = 202 response.headers['x-a'] = 'b' response:flush() request:chunks() "
				.. "require('tidegate.timer').sleep(0.02) response:write('x')")
			local head = connection:head()
			assert.equal(202, head.status)
			assert.equal("b", head.headers["x-a"])
			assert.equal("x", connection:chunk())
			assert.is_nil(connection:chunk())
		end)

		it("ends with its connection in HTTP/1.0", function()
			local response = ask_old("response:write('a') response:write('') response:write('b')"):response()
			assert.is_true(response.until_close)
			assert.is_nil(response.headers["transfer-encoding"])
			assert.equal("close", response.headers.connection)
			assert.equal("ab", response.body)
		end)

		it("ends with its connection in HTTP/1.0 that would keep it", function()
			local response = ask_old("response:write('ab')", "Connection: keep-alive"):response()
			assert.is_true(response.until_close)
			assert.equal("ab", response.body)
		end)

		it("may be ended while the handler goes on", function()
			local response = post("response:write('a') response:finish() require('tidegate.timer').sleep(0.02) "
				.. "require('tidegate.log').info('went on after it')")
			assert.equal("a", response.body)
			gateway:wait_log("went on after it")
		end)

		it("cuts the connection when its handler fails", function()
			ask("GET", "response:write('a') error('too late')")
			assert.equal("a", (connection:head() and connection:chunk()))
			assert.has_error(function() connection:chunk() end)
			gateway:wait_log("run:1: too late")
		end)
	end)

	describe("with a content-length of its own", function()
		it("is sent with it, unchunked", function()
			local response = post("response.headers['content-length'] = 5 response:write('ab') response:write('cde')")
			assert.equal("5", response.headers["content-length"])
			assert.is_nil(response.headers["transfer-encoding"])
			assert.equal("abcde", response.body)
			assert.equal("next", post("return 'next'").body)
		end)

		it("keeps a connection in HTTP/1.0", function()
			local response = ask_old("response.headers['content-length'] = 2 response:write('ab')", "Connection: keep-alive"):response()
			assert.equal("ab", response.body)
			assert.equal("keep-alive", response.headers.connection)
			assert.equal("next", ask_old("return 'next'"):response().body)
		end)

		it("may be empty", function()
			local response = post("response.headers['content-length'] = 0 response:write('')")
			assert.equal("0", response.headers["content-length"])
			assert.equal("next", post("return 'next'").body)
		end)

		it("refuses more, and sends none of it", function()
			local code = "response.headers['content-length'] = 3 response:write('ab') "
				.. "local _, m = pcall(response.write, response, 'cd') require('tidegate.log').info(m) response:write('c')"
			assert.equal("abc", post(code).body)
			gateway:wait_log("more than the content%-length that was set")
		end)

		it("refuses more at once", function()
			local response = post("response.headers['content-length'] = 1 response:write('ab')")
			assert.equal(500, response.status)
			gateway:wait_log("run:1: more than the content%-length that was set")
		end)

		it("cuts the connection when it stays less", function()
			ask("GET", "response.headers['content-length'] = 3 response:write('ab')")
			local head = connection:head()
			assert.equal("3", head.headers["content-length"])
			local text, why, partial = connection.stream:receive(3)
			assert.is_nil(text)
			assert.not_equal("timeout", why)
			assert.is_true(#partial <= 2)
		end)

		it("is not taken for longer by what stands behind it", function()
			local response = post("response.headers['content-length'] = 2 response.headers['2x'] = 1 response:write('ab')")
			assert.equal("2", response.headers["content-length"])
			assert.equal("ab", response.body)
		end)

		for _, value in ipairs({ "five", "-5", "5x", "" }) do
			it(("that is %q is no length"):format(value), function()
				local response = post(("response.headers['content-length'] = '%s' response:write('abcdef')"):format(value))
				assert.equal(200, response.status)
				assert.equal("chunked", response.headers["transfer-encoding"])
				assert.equal("abcdef", response.body)
			end)
		end
	end)

	describe("to HEAD", function()
		local cases = {
			{ "of a returned string", "return 'hello'", 200, "content-length", "5" },
			{ "of a returned table", "return { a = 1 }", 200, "content-length", "7" },
			{ "of a status", "return 404", 404, "content-length", "0" },
			{ "of a stream", "response:write('hello')", 200, "transfer-encoding", "chunked" },
			{ "of a stream with a length", "response.headers['content-length'] = 5 response:write('hello')", 200, "content-length", "5" },
			{ "of a stream that keeps less", "response.headers['content-length'] = 5 response:write('h')", 200, "content-length", "5" },
			{ "of json()", "response:json({})", 200, "content-length", "2" },
			{ "of a failure", "error('x')", 500, "content-type", "application/problem+json" },
		}
		for _, case in ipairs(cases) do
			local what, code, status, name, value = table.unpack(case)
			it(what .. " has the head alone", function()
				local response = ask("HEAD", code):response("HEAD")
				assert.equal(status, response.status)
				assert.equal(value, response.headers[name])
				assert.equal("next", ask("GET", "return 'next'"):response().body)
			end)
		end
	end)

	for _, status in ipairs({ 204, 304 }) do
		describe("with " .. status, function()
			local cases = {
				{ "returned", "return %d" },
				{ "returned with a body", "return %d, 'body'" },
				{ "returned with a table", "return %d, { a = 1 }" },
				{ "set, and a body", "response.status = %d return 'body'" },
				{ "and a stream", "response.status = %d response:write('body') response:write('more')" },
				{ "and a stream with a length", "response.status = %d response.headers['content-length'] = 4 response:write('body')" },
				{ "and json()", "response.status = %d response:json({})" },
			}
			for _, case in ipairs(cases) do
				local what, code = table.unpack(case)
				it(what .. " has no body", function()
					local response = post(code:format(status))
					assert.equal(status, response.status)
					assert.is_nil(response.headers["transfer-encoding"])
					assert.is_nil(response.headers["content-length"])
					assert.equal("next", post("return 'next'").body)
				end)
			end
		end)
	end

	describe("by json()", function()
		it("has the value, its type and its length", function()
			local response = post("response:json({ 1, 'a' })")
			assert.equal(200, response.status)
			assert.equal("application/json", response.headers["content-type"])
			assert.equal("7", response.headers["content-length"])
			assert.equal('[1,"a"]', response.body)
		end)

		for code, body in pairs({ ["nil"] = "null", ["false"] = "false", ["'a'"] = '"a"', ["7"] = "7" }) do
			it("may be " .. body, function()
				assert.equal(body, post("response:json(" .. code .. ")").body)
			end)
		end

		it("is an error when it cannot be JSON", function()
			assert.equal(500, post("response:json({ print })").status)
			gateway:wait_log("a function has no form in JSON")
			assert.equal(500, post("response:json()").status)
		end)
	end)

	describe("by redirect()", function()
		it("has a location and no body", function()
			local response = post("response:redirect('/a?b=c')")
			assert.equal(302, response.status)
			assert.equal("/a?b=c", response.headers.location)
			assert.equal("0", response.headers["content-length"])
		end)

		for _, status in ipairs({ 301, 303, 307, 308 }) do
			it("may have the status " .. status, function()
				assert.equal(status, post(("return response:redirect('/', %d)"):format(status)).status)
			end)
		end

		for _, arguments in ipairs({ "", "{}", "'/', 200", "'/', 400", "'/', 'x'" }) do
			it("refuses redirect(" .. arguments .. ")", function()
				assert.equal(500, post(("response:redirect(%s)"):format(arguments)).status)
			end)
		end
	end)

	describe("by finish()", function()
		it("is 204 when nothing was said", function()
			assert.equal(204, post("response:finish()").status)
		end)

		it("is sent while the handler goes on", function()
			ask("GET", "local log, timer = require('tidegate.log'), require('tidegate.timer') local id = request.id "
				.. "response.status = 202 response:finish() timer.sleep(0.01) log.info('done', { job = id })")
			assert.equal(202, connection:response().status)
			gateway:wait_log('"msg":"done"[^\n]*"job":"%x+"')
		end)

		for _, answer in ipairs({ "response:finish()", "response:json(1)", "response:redirect('/')",
			"response:write('a') response:finish()", "response:file('handlers/run.lua', { root = '.' })" }) do
			it("is with a client that closes before a call of C returns, by " .. answer, function()
				local fifo, quickest = gateway.project.path .. "/fifo", math.huge
				assert(os.execute("mkfifo -m 600 " .. fifo))
				for _ = 1, 10 do -- a machine may be busy, but not each time
					local began, other = socket.gettime(), gateway:connect()
					other:ask("GET", "/run", { "Connection: close",
						("X-Run: %s io.open('%s'):read()"):format(answer, fifo) })
					other:head()
					quickest = math.min(quickest, socket.gettime() - began)
					local go = assert(io.open(fifo, "r+")) -- waits for no reader
					assert(go:write("on\n"))
					go:flush()
					other:rest()
					go:close()
					other:close()
				end
				assert(os.remove(fifo))
				assert.is_true(quickest < 0.15, ("the quickest of ten took %.3f s"):format(quickest))
			end)
		end

		it("leaves the connection to the next request while the handler goes on", function()
			ask("GET", "response:finish() local go = require('tidegate.shared').open('go') "
				.. "while not go:get('on') do require('tidegate.timer').sleep(0.001) end require('tidegate.log').info('seen on')")
			assert.equal(204, connection:response().status)
			assert.equal("b", ask("GET", "require('tidegate.shared').open('go'):set('on', true) return 'b'"):response().body)
			gateway:wait_log("seen on")
		end)

		it("lets errors behind it into the log only", function()
			assert.equal(204, post("response:finish() error('nobody hears')").status)
			gateway:wait_log('"msg":"after its response: run:1: nobody hears')
			assert.equal("next", post("return 'next'").body)
		end)
	end)

	describe("raises", function()
		local cases = {
			{ "a status that is too small", "response.status = 199", "a status is an integer from 200 to 599, not 199" },
			{ "a status that is too large", "response.status = 600", "a status is an integer from 200 to 599, not 600" },
			{ "a status that is no integer", "response.status = 200.5", "a status is an integer from 200 to 599, not 200.5" },
			{ "a status that is no number", "response.status = 'x'", "a status is an integer from 200 to 599, not the string x" },
			{ "nil as a status", "response.status = nil", "a status is an integer from 200 to 599, not nil" },
			{ "an unknown field that is read", "return response.body", "a response has no field 'body'" },
			{ "an unknown field that is set", "response.body = 'x'", "cannot set 'body' of a response" },
			{ "headers that are set", "response.headers = {}", "cannot set 'headers' of a response" },
			{ "a table that is written", "response:write({})", "string expected, got table" },
			{ "nil that is written", "response:write(nil)", "string expected, got nil" },
			{ "nothing that is written", "response:write()", "string expected, got no value" },
			{ "a boolean that is written", "response:write(true)", "string expected, got boolean" },
			{ "a function that is written", "response:write(print)", "string expected, got function" },
			{ "a request that is written", "response:write(request)", "string expected, got" },
			{ "a method of a request", "response.write(request, 'x')", "tidegate.response expected" },
		}
		for _, case in ipairs(cases) do
			local what, code, message = table.unpack(case)
			it(what, function()
				local body = post(("local _, m = pcall(function()\n%s\nend) return m"):format(code)).body
				assert.equal("run:2: ", body:sub(1, 7))
				assert.is_truthy(body:find(message, 1, true), body)
			end)
		end

		local late = {
			{ "a status", "response.status = 201" },
			{ "json()", "response:json({})" },
			{ "redirect()", "response:redirect('/')" },
		}
		for _, case in ipairs(late) do
			local what, code = table.unpack(case)
			it(what .. " after it has begun", function()
				local response = post(("response:write('a') local _, m = pcall(function()\n%s\nend) response:write(m)"):format(code))
				assert.equal(200, response.status)
				assert.equal("arun:2: the response has begun", response.body)
			end)
		end

		for _, code in ipairs({ "response:write('x')", "response:flush()", "response:json(1)", "response:finish()",
			"response.status = 200", "response:redirect('/')" }) do
			it(code .. " after it is finished", function()
				post(("response:finish() local _, m = pcall(function() %s end) require('tidegate.log').info(%q .. m)"):format(
					code, "finished, so "))
				gateway:wait_log("finished, so run:1: the [%a ]+ is %a+")
			end)
		end

		it("a value that is returned after a write", function()
			ask("GET", "response:write('a') return 'b'")
			assert.equal("a", (connection:head() and connection:chunk()))
			assert.has_error(function() connection:chunk() end)
			gateway:wait_log("handlers/run.lua: a handler returned a string after it had written the response itself")
		end)
	end)

	it("to a client that has left ends the writer", function()
		ask("GET", "local log = require('tidegate.log') "
			.. "local t <close> = setmetatable({}, { __close = function() log.info('writer closed') end }) "
			.. "response:write('a') log.info('writer began') while true do response:write(('x'):rep(100000)) end")
		gateway:wait_log("writer began")
		connection:close()
		gateway:wait_log("writer closed")
	end)

	it("of one client waits for nobody else's", function()
		ask("GET", "while true do response:write(('x'):rep(100000)) end")
		connection:head()
		assert.equal("other", gateway:get("/run", { "X-Run: return 'other'" }).body)
	end)

	it("keeps the order of pipelined requests", function()
		connection:send("GET /run HTTP/1.1\r\nHost: a\r\nX-Run: require('tidegate.timer').sleep(0.02) return 'slow'\r\n\r\n",
			"GET /run HTTP/1.1\r\nHost: a\r\nX-Run: return 'fast'\r\n\r\n")
		assert.equal("slow", connection:response().body)
		assert.equal("fast", connection:response().body)
	end)
end)
