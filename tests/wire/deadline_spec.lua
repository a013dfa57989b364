-- Clients and handlers that take too long are ended; others never notice.

local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")
local socket = require("socket")

local handlers = {
	["handlers/quick.lua"] = "return function() return 'quick' end",
	["handlers/echo.lua"] = "return function(request) return request:text() end",
	["handlers/reader.lua"] = [[
		local log = require("tidegate.log")
		return function(request)
			local _ <close> = setmetatable({}, { __close = function() log.info("reader ends") end })
			return request:text()
		end]],
	["handlers/half.lua"] = [[
		return function(request, response)
			response:write("half"):flush()
			request:text()
		end]],
	["handlers/late_reader.lua"] = [[
		local timer = require("tidegate.timer")
		return function(request)
			timer.sleep(1.5)
			return request:text()
		end]],
	["handlers/endless.lua"] = [[
		local log = require("tidegate.log")
		return function(request, response)
			local _ <close> = setmetatable({}, { __close = function() log.info("endless ends") end })
			while true do response:write(("x"):rep(65536)) end
		end]],
	["handlers/big.lua"] = "local big = ('x'):rep(2^25) return function() return big end",
	["handlers/slow.lua"] = [[
local timer = require("tidegate.timer")

local function nap()
	timer.sleep(1000)
end

return {
	limits = { wait = 0.3 },
	GET = function()
		nap()
	end,
}]],
	["handlers/patient.lua"] = [[
		local timer = require("tidegate.timer")
		return {
			limits = { wait = math.huge },
			GET = function() timer.sleep(1.5) return "patient" end,
		}]],
	["handlers/sloth.lua"] = "return function() require('tidegate.timer').sleep(1000) end",
	["handlers/stream.lua"] = [[
		local timer = require("tidegate.timer")
		return {
			limits = { wait = 0.2 },
			GET = function(_, response)
				response:write("a"):flush()
				timer.sleep(1)
				response:write("b")
			end,
		}]],
}

-- Sends one byte now and then until something comes back.
local function drip(connection, text, seconds)
	for i = 1, #text do
		connection.stream:send(text:sub(i, i))
		if not connection:is_silent(seconds) then
			return
		end
	end
	error("nothing came back")
end

describe("a deadline", function()
	local gateway, connection
	around({
		files = handlers,
		flags = {
			"--head-timeout", "0.4", "--body-timeout", "0.4", "--idle-timeout", "0.4", "--write-timeout", "0.4",
			"--wait-timeout", "5",
		},
	}, function(g, c)
		gateway, connection = g, c
	end)

	local function refused(status)
		local response = connection:response()
		assert.same({ status, "close" }, { response.status, response.headers.connection })
		assert.is_true(connection:is_closed())
	end

	it("ends a head that drips, however it drips, with 408", function()
		drip(connection, "GET /quick HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(1000), 0.05)
		refused(408)
	end)

	it("ends a head that stops with 408", function()
		connection:send("GET /quick HTTP/1.1\r\nHo")
		refused(408)
	end)

	it("ends the second head of a connection, too", function()
		assert.equal("quick", connection:fetch("GET", "/quick").body)
		connection:send("GET /quick")
		refused(408)
	end)

	it("ends the head behind a request that was just answered", function()
		connection:send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\nGET /qui")
		assert.equal("quick", connection:response().body)
		refused(408)
	end)

	it("closes a connection that never says anything", function()
		assert.is_true(connection:is_closed())
	end)

	it("closes a connection that asks nothing more", function()
		assert.equal("quick", connection:fetch("GET", "/quick").body)
		assert.is_true(connection:is_closed())
	end)

	for _, framing in ipairs({ "Content-Length: 10\r\n\r\nfive.", "Transfer-Encoding: chunked\r\n\r\n5\r\nfi" }) do
		it("ends content that stops with 408: " .. framing:match("^[^:]+"), function()
			local before = #gateway:log()
			connection:send("POST /reader HTTP/1.1\r\nHost: a\r\n", framing)
			refused(408)
			gateway:wait_log("reader ends", before)
		end)
	end

	it("cuts the connection when content stops and the response has begun", function()
		connection:send("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive.")
		assert.equal(200, connection:head().status)
		assert.equal("half", connection:chunk())
		assert.has_error(function() connection:chunk() end)
	end)

	it("lets content take its time while it comes", function()
		connection:send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n")
		for _ = 1, 12 do
			connection:send("x")
			assert.is_true(connection:is_silent(0.1) or _ == 12)
		end
		assert.equal(("x"):rep(12), connection:response().body)
	end)

	it("does not blame a client whose content nobody reads yet", function()
		connection:send("POST /late_reader HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		assert.equal(100, connection:response().status)
		connection:send("hello")
		assert.equal("hello", connection:response().body)
	end)

	it("ends a stream that its client does not take", function()
		local before = #gateway:log()
		connection:ask("GET", "/endless")
		gateway:wait_log("endless ends", before)
		assert.has_error(function()
			while true do connection:chunk() end -- nothing comes after what is on its way
		end)
	end)

	it("ends a body that its client does not take", function()
		connection:ask("GET", "/big")
		local descriptors = gateway:descriptors()
		program.await(function() return "the end of the connection" end, function()
			return gateway:descriptors() < descriptors
		end)
	end)

	it("serves a slow reader that does take some now and then", function()
		connection.stream:setoption("recv-buffer-size", 65536)
		connection:ask("GET", "/big")
		local length = tonumber(connection:head().headers["content-length"])
		local got, began = 0, socket.gettime()
		while got < length do
			local n = math.min(length - got, 4 * 2 ^ 20) // 1
			assert.equal(n, #assert(connection.stream:receive(n)))
			got = got + n
			if socket.gettime() - began < 2 then
				socket.select(nil, nil, 0.2)
			end
		end
		assert.equal(2 ^ 25, got)
	end)

	it("ends a handler that does not answer with 504, and tells where it waits", function()
		local before = #gateway:log()
		local response = connection:fetch("GET", "/slow", { "Accept: application/json" })
		assert.equal(504, response.status)
		assert.equal("application/problem+json", response.headers["content-type"])
		assert.matches('"detail":"no answer in time"', response.body, 1, true)
		gateway:wait_log("no answer in time, still waiting.-handlers/slow.lua:4: in .-handlers/slow.lua:10:", before)
		assert.equal("quick", connection:fetch("GET", "/quick").body)
	end)

	it("lets a route wait longer, or for ever", function()
		assert.equal("patient", connection:fetch("GET", "/patient").body)
	end)

	it("does not end a response that has begun", function()
		assert.equal("ab", connection:fetch("GET", "/stream").body)
	end)

	it("does not count the time its client takes for the content", function()
		gateway:replace({ ["handlers/counted.lua"] = [[
			return { limits = { wait = 0.3 }, POST = function(request) return request:text() end }]] })
		local client = gateway:connect() -- the other's time ran while that loaded
		client:send("POST /counted HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
		for _ = 1, 8 do
			client:send("x")
			socket.select(nil, nil, 0.15)
		end
		assert.equal("xxxxxxxx", client:response().body)
		client:close()
	end)
end)

describe("wait_timeout", function()
	it("is every route's that has no limit of its own", function()
		local gateway = server.start({ files = handlers, flags = { "--wait-timeout", "0.3" } })
		assert.equal(504, gateway:get("/sloth").status)
		assert.equal("patient", gateway:get("/patient").body)
		gateway:stop()
	end)
end)

describe("limits.wait", function()
	it("is seconds", function()
		local gateway = server.start({ files = handlers })
		gateway.project:write("handlers/wrong.lua", "return {\n\tlimits = { wait = 'long' },\n\tGET = print,\n}")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("handlers/wrong.lua:2: limit 'wait' must be a number from 0", errors, 1, true)
		gateway:stop()
	end)
end)
