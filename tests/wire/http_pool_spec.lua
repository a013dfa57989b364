-- tidegate.http, its connections: kept, used again, lost, limited.

local socket = require("socket")

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")
local program = require("tests.support.program")

describe("a connection of tidegate.http", function()
	local asker, origin

	before_each(function()
		origin = origins.listen()
		asker = askers.start(origin.url)
	end)

	after_each(function()
		asker:stop()
		origin:close()
	end)

	local get = "local r, message, code = http.get(origin) return r and r:text() or code"

	it("is used for the next request, and outlives a reload", function()
		local first = asker:begin(get)
		local visit = origin:accept()
		for i = 1, 3 do
			visit:request()
			visit:answer("answer " .. i)
			assert.equal("answer " .. i, (asker:finish(first)))
			if i == 2 then
				asker.gateway:replace({ ["handlers/x.lua"] = "return function() end" })
			end
			first = asker:begin(get)
		end
		visit:request()
		visit:answer("", "204 No Content")
		asker:finish(first)
		assert.is_true(origin:is_quiet())
		visit:close()
	end)

	it("is used again although nobody has read the content", function()
		local client = asker:begin("for i = 1, 5 do http.get(origin) end return 'done'")
		local visit = origin:accept()
		for _ = 1, 5 do
			visit:request()
			visit:answer("content")
		end
		assert.equal("done", (asker:finish(client)))
		visit:close()
	end)

	it("gives nobody the content that another request has left unread", function()
		local client = asker:begin("http.get(origin) timer.sleep(0.2) return http.get(origin):text()")
		local visit = origin:accept()
		visit:request()
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")
		socket.sleep(0.05) -- the head is there first, and its content later
		visit:send("SECRET")
		visit.stream:settimeout(1)
		local line = visit.stream:receive("*l")
		if not line then -- it was closed, which is right, too
			visit:close()
			visit = origin:accept()
			visit:request()
		else
			repeat until visit.stream:receive("*l") == ""
		end
		visit:answer("mine")
		assert.equal("mine", (asker:finish(client)))
		visit:close()
	end)

	for what, fields in pairs({ ["says so"] = "connection: close\r\n", ["asks for no rest"] = "keep-alive: timeout=0\r\n" }) do
		it("is closed when the origin " .. what, function()
			local client = asker:begin(get)
			local visit = origin:accept()
			visit:request()
			visit:answer("x", nil, fields)
			assert.equal("x", (asker:finish(client)))
			assert.is_true(visit:is_closed())
			visit:close()
		end)
	end

	it("is closed when something comes that nobody asked for", function()
		local client = asker:begin(get)
		local visit = origin:accept()
		visit:request()
		visit:answer("x")
		assert.equal("x", (asker:finish(client)))
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
		assert.is_true(visit:is_closed())
		client = asker:begin(get)
		local other = origin:accept()
		other:request()
		other:answer("good")
		assert.equal("good", (asker:finish(client)))
		visit:close()
		other:close()
	end)

	it("is closed after the time it may rest", function()
		local client = asker:begin("return http.get(origin, { keep = 0.01 }):text()")
		local visit = origin:accept()
		visit:request()
		visit:answer("x")
		assert.equal("x", (asker:finish(client)))
		assert.is_true(visit:is_closed())
		visit:close()
		client = asker:begin("return http.get(origin, { keep = 0 }):text()")
		visit = origin:accept()
		visit:request()
		visit:answer("y")
		assert.equal("y", (asker:finish(client)))
		assert.is_true(visit:is_closed())
		visit:close()
	end)

	-- A connection rests; it ends just when the next request has come.
	local function lose(code)
		local client = asker:begin(get)
		local visit = origin:accept()
		visit:request()
		visit:answer("x")
		asker:finish(client)
		client = asker:begin(code)
		visit:request()
		visit:close()
		return client
	end

	it("that is lost while a request comes is replaced once, where that is safe", function()
		for _, code in ipairs({ get, "return http.put(origin, { body = 'x' }):text()", "return http.delete(origin):text()" }) do
			local client = lose(code)
			local second = origin:accept()
			second:request()
			second:answer("second", nil, "connection: close\r\n")
			assert.equal("second", (asker:finish(client)))
			second:close()
		end
		local client = lose(get)
		local second = origin:accept()
		second:request()
		second:close()
		assert.equal("closed", (asker:finish(client)))
		assert.is_true(origin:is_quiet())
	end)

	it("that is lost is not replaced where it is not safe", function()
		for _, code in ipairs({ "return (select(3, http.post(origin, { body = 'x' })))", "return (select(3, http.put(origin, { body = buffer.new('x') })))" }) do
			assert.equal("closed", (asker:finish(lose(code))))
			assert.is_true(origin:is_quiet())
		end
	end)

	it("that was closed while it rested is not used", function()
		local client = asker:begin(get)
		local visit = origin:accept()
		visit:request()
		visit:answer("x")
		asker:finish(client)
		visit:close()
		client = asker:begin("return http.post(origin, { body = 'x' }):text()")
		local second = origin:accept()
		second:request()
		second:answer("fine")
		assert.equal("fine", (asker:finish(client)))
		second:close()
	end)

	it("is waited for when the origin has as many as it may", function()
		local code = "return http.get(origin, { connections = 2 }):text()"
		local clients, visits = {}, {}
		for i = 1, 5 do
			clients[i] = asker:begin(code)
		end
		for i = 1, 2 do
			visits[i] = origin:accept()
			visits[i]:request()
		end
		assert.is_true(origin:is_quiet())
		visits[1]:answer("1")
		visits[1]:request()
		visits[1]:answer("2")
		visits[1]:request()
		visits[1]:close() -- a new one may be made
		visits[2]:answer("3")
		visits[2]:request()
		visits[2]:answer("4")
		local third = origin:accept()
		third:request()
		third:answer("5")
		local seen = {}
		for i = 1, 5 do
			seen[i] = asker:finish(clients[i])
		end
		table.sort(seen)
		assert.equal("1 2 3 4 5", table.concat(seen, " "))
		visits[2]:close()
		third:close()
	end)

	it("is not waited for any longer when its client leaves the line", function()
		local code = "return http.get(origin, { connections = 1 }):text()"
		local first = asker:begin(code)
		local visit = origin:accept()
		visit:request()
		local second = asker:begin(code)
		assert.is_true(origin:is_quiet())
		second.stream:setoption("linger", { on = true, timeout = 0 })
		second:close()
		local third = asker:begin(code)
		assert.is_true(origin:is_quiet())
		visit:answer("one")
		assert.equal("one", (asker:finish(first)))
		visit:request()
		visit:answer("three")
		assert.equal("three", (asker:finish(third)))
		visit:close()
	end)

	it("is closed when its content is not wanted", function()
		for _, code in ipairs({
			"local r = http.get(origin) r:close() timer.sleep(60)",
			"do local r <close> = http.get(origin) end timer.sleep(60)",
			"do local r = http.get(origin) end collectgarbage() collectgarbage() timer.sleep(60)",
			"http.get(origin) return 'ended'",
			"pcall(function() local r <close> = http.get(origin) error('e') end) timer.sleep(60)",
			"task.spawn(function() local r = http.get(origin):text() end) timer.sleep(0.1) return 'ended'",
		}) do
			local client = asker:begin(code)
			local visit = origin:accept()
			visit:request()
			visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
			assert.is_true(visit:is_closed(), code)
			visit:close()
			client:close()
		end
	end)

	it("is closed when the client leaves", function()
		for _, code in ipairs({
			"http.get(origin)",
			"http.get(origin):text()",
			"for _ in http.get(origin):chunks() do end",
			"http.all({ a = origin })",
			"coroutine.wrap(function() http.get(origin):json() end)()",
			"http.get(origin) timer.sleep(60)",
		}) do
			local client = asker:begin(code)
			local visit = origin:accept()
			visit:request()
			if code:find(":") or code:find("sleep") then
				visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
			end
			assert.is_true(origin:is_quiet(0.01))
			client.stream:setoption("linger", { on = true, timeout = 0 })
			client:close()
			assert.is_true(visit:is_closed(), code)
			visit:close()
		end
	end)

	it("is closed when the parent cancels, and when a sibling fails", function()
		for _, code in ipairs({
			"local h = task.spawn(function() http.get(origin) end) timer.sleep(0.05) h:cancel() return (select(2, h:wait()))",
			"return (select(3, task.timeout(0.05, http.get, origin)))",
			"return select(2, pcall(task.all, { function() http.get(origin) end, function() timer.sleep(0.05) error('cancelled', 0) end }))",
		}) do
			local client = asker:begin(code)
			local visit = origin:accept()
			visit:request()
			assert.is_true(visit:is_closed(), code)
			assert.matches("^[ct][ai][nm]", (asker:finish(client)))
			visit:close()
		end
	end)

	it("belongs to the handler, not to the task that has asked", function()
		local client = asker:begin("local r = task.spawn(http.get, origin):wait() return r:text()")
		local visit = origin:accept()
		visit:request()
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
		assert.is_true(origin:is_quiet())
		visit:send("world")
		assert.equal("helloworld", (asker:finish(client)))
		visit:close()
	end)

	it("stops receiving while nobody reads, and goes on", function()
		local client = asker:begin("local r, n = http.get(origin), 0 for chunk in r:chunks() do n = n + #chunk timer.sleep(0.0001) end return n")
		local visit = origin:accept()
		visit:request()
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
		local piece = ("x"):rep(1000000)
		for _ = 1, 50 do
			visit:send(piece)
		end
		assert.equal("50000000", (asker:finish(client)))
		visit:close()
	end)

	it("holds no more than a little that nobody reads", function()
		local client = asker:begin("local r = http.get(origin) timer.sleep(60)")
		local visit = origin:accept()
		visit:request()
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n")
		visit.stream:settimeout(0.5)
		local piece, sent = ("x"):rep(1000000), 0
		for _ = 1, 200 do
			if not visit.stream:send(piece) then
				break
			end
			sent = sent + 1
		end
		assert.is_true(sent < 50, sent .. " MB went somewhere")
		client:close()
		visit:close()
	end)

	it("may answer before it has heard all of a request", function()
		local client = asker:begin([[
			local n = 0
			local r = http.post(origin, { body = function() n = n + 1 return n < 100000 and ('x'):rep(10000) or nil end })
			return r.status, r:text(), n < 100000]])
		local visit = origin:accept()
		visit.stream:receive("*l")
		visit:answer("no more", "413 Content Too Large", "connection: close\r\n")
		assert.equal("413|no more|true", (asker:finish(client)))
		visit:close()
	end)

	it("is not used beyond the time it may rest", function()
		local client = asker:begin([[
			local function ask(seconds) return http.get(origin, { keep = seconds }):text() end
			local one, two = ask(30), ask(0.1)
			timer.sleep(0.11)
			return one, two, ask(30)]])
		local visit = origin:accept()
		visit:request()
		visit:answer("one")
		visit:request()
		visit:answer("two")
		local next_visit = origin:accept()
		next_visit:request()
		next_visit:answer("three")
		assert.equal("one|two|three", (asker:finish(client)))
		assert.is_true(visit:is_closed())
		visit:close()
		next_visit:close()
	end)

	it("does not keep a gateway from stopping", function()
		local client = asker:begin(get)
		local visit = origin:accept()
		visit:request()
		visit:answer("x")
		assert.equal("x", (asker:finish(client)))
		client = asker:begin("return http.get(origin, { connections = 1 }):text()")
		visit:request()
		local waiting = asker:begin("return http.get(origin, { connections = 1 }):text()")
		program.await("the handlers", function() return origin:is_quiet(0.01) end)
		asker.gateway:signal("TERM")
		asker.gateway:signal("TERM")
		client:close()
		waiting:close()
		visit:close()
	end)
end)
