-- What a handler may try, and the gateway outlives.  Each ends with the stop
-- that finds nothing left behind.

local program = require("tests.support.program")
local server = require("tests.support.server")

local function serving(handler, options)
	options = options or {}
	options.files = options.files or {}
	options.files["handlers/index.lua"] = handler
	options.files["handlers/hello.lua"] = "return function() return 'hello' end"
	return server.start(options)
end

local function still_serves(gateway)
	assert.equal("hello", gateway:get("/hello").body)
end

-- A handler that is called once, then does what it can again and again.
local function survives(handler, options, expected)
	local gateway = serving(handler, options)
	for _ = 1, 3 do
		local response = gateway:get("/")
		assert.equal(expected or 200, response.status, response.body)
	end
	gateway:replace({})
	still_serves(gateway)
	gateway:stop()
end

describe("a coroutine", function()
	it("that wraps one which is running gets an error, and resets nothing", function()
		local gateway = serving([[
return function()
	local w
	w = coroutine.wrap(function()
		local v = coroutine.wrap(function() local ok, e = pcall(w) return tostring(ok) .. " " .. tostring(e) end)
		local s = v()
		local t = {}
		for i = 1, 100 do t[i] = { tostring(i) } end
		coroutine.yield(s)
	end)
	return w()
end]])
		assert.equal("false cannot resume non-suspended coroutine", gateway:get("/").body)
		gateway:stop()
	end)

	for _, verb in ipairs({ "close", "resume" }) do
		it(("of another task cannot be taken: coroutine.%s"):format(verb), function()
			local gateway = serving(([[
local shared = require("tidegate.shared").open("t")
local timer = require("tidegate.timer")
local saved
return function(request)
	if request.query.b then
		local ok, why = pcall(coroutine.%s, saved)
		saved = nil
		collectgarbage() collectgarbage()
		shared:set("go", true)
		return tostring(ok) .. " " .. tostring(why)
	end
	saved = coroutine.running()
	shared:set("parked", true)
	while not shared:get("go") do timer.sleep(0.005) end
	return "A"
end]]):format(verb))
			local waiting = gateway:connect():ask("GET", "/")
			program.await("the task to park", function()
				return waiting:is_silent(0.05)
			end)
			assert.equal(200, gateway:get("/?b=1").status)
			assert.equal("A", waiting:response().body)
			waiting:close()
			gateway:stop()
		end)
	end

	it("may park while finalizers make coroutines yield", function()
		local gateway = serving([[
local timer = require("tidegate.timer")
return function()
	collectgarbage("stop")
	for i = 1, 5000 do
		setmetatable({}, { __gc = function()
			local w = coroutine.wrap(function() coroutine.yield() end)
			pcall(w)
		end })
	end
	collectgarbage("incremental", 1, 8, 1)
	collectgarbage("restart")
	coroutine.wrap(function()
		while true do
			local t = {}
			for i = 1, 30 do t[i] = {} end
			timer.sleep(0)
		end
	end)()
end]])
		local client = gateway:connect():ask("GET", "/")
		assert.is_true(client:is_silent(0.3))
		client:close()
		still_serves(gateway)
		gateway:stop()
	end)
end)

describe("a wait for an exchange that another task ends", function()
	it("ends when a timer answers", function()
		local gateway = serving([[
local log = require("tidegate.log")
local timer = require("tidegate.timer")
return function(request, response)
	timer.after(0.02, function() response.status = 408 response:finish() end)
	local ok, why = pcall(request.text, request)
	log.info("told", { why = why })
end]])
		local client = gateway:connect()
		client:send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
		assert.equal(408, client:response().status)
		gateway:wait_log('"msg":"told",.*"why":"[^"]*the exchange is over"')
		client:close()
		gateway:stop()
	end)

	it("ends when its client has left, and hurts no other", function()
		local gateway = serving([[
local shared = require("tidegate.shared").open("t")
local timer = require("tidegate.timer")
local subscribers = {}
local piece = ("x"):rep(300000)
timer.every(0.005, function()
	for response in pairs(subscribers) do
		if not pcall(function() response:write(piece) end) then subscribers[response] = nil end
	end
	shared:incr("rounds")
end)
return function(request, response)
	if request.query.rounds then return tostring(shared:get("rounds") or 0) end
	subscribers[response] = true
	response:write("go")
	timer.sleep(1000)
end]])
		local slow = gateway:connect():ask("GET", "/")
		slow:head()
		assert.equal("go", slow:chunk())
		local function rounds()
			return math.tointeger(gateway:get("/?rounds").body)
		end
		local stuck
		program.await("the broadcast to wait for the slow one", function()
			local now = rounds()
			local same = now == stuck and now > 0
			stuck = now
			require("socket").sleep(0.05) -- ten rounds, if it did not wait
			return same
		end)
		slow:close()
		program.await("the broadcast to go on", function()
			return rounds() > stuck + 3
		end)
		gateway:stop()
	end)

	it("is not taken over by a second reader", function()
		local gateway = serving([[
local timer = require("tidegate.timer")
return function(request)
	local second
	timer.after(0, function() second = select(2, pcall(request.text, request)) end)
	local text = request:text()
	return text .. ": " .. second
end]])
		local client = gateway:connect():send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab")
		assert.is_true(client:is_silent(0.1))
		client:send("c")
		assert.matches("^abc: .*another task waits for this content$", client:response().body)
		client:close()
		gateway:stop()
	end)

	it("that fails after its response is logged as what it is", function()
		local gateway = serving([[
return function(_, response)
	response:json(("b"):rep(9000000))
	require("tidegate").fail(400, "late")
end]])
		assert.equal(9000002, #gateway:get("/").body)
		gateway:wait_log("after its response: 400 late")
		gateway:stop()
	end)
end)

describe("a finalizer", function()
	local cases = {
		{ "that looks at an old request", [[
local saved
local guard = setmetatable({}, { __gc = function() print(tostring(saved)) end })
return function(request) saved = saved or request return tostring(guard) end]] },
		{ "that uses an old request", [[
local saved
local guard = setmetatable({}, { __gc = function() pcall(function() return saved.path end) end })
return function(request) saved = saved or request return tostring(guard) end]] },
		{ "that uses a buffer which is final too", [[
local buffer = require("tidegate.buffer")
local b
local guard = setmetatable({}, { __gc = function() return #b end })
b = buffer.new("xyz")
return function() return tostring(b) .. tostring(guard) end]] },
		{ "that makes buffers and JSON", [[
local buffer, json = require("tidegate.buffer"), require("tidegate.json")
local guard = setmetatable({}, { __gc = function()
	json.encode({ 1, 2 })
	buffer.new(("x"):rep(10000))
end })
return function() return tostring(guard) end]] },
	}
	for _, case in ipairs(cases) do
		it(case[1] .. " does no harm", function()
			survives(case[2])
		end)
	end
end)

describe("a function that is not meant for handlers", function()
	local cases = {
		{ "the iterator of chunks()", "request:text() local it = request:chunks() return tostring(pcall(it, 5, nil))" },
		{ "the iterator of _G", "local f = pairs(_G) return tostring(pcall(f, 5))" },
		{ "what pairs(_G) iterates", "local _, held = pairs(_G) return tostring(held)", "nil" },
		{ "a whole walk over _G", "local n = 0 for k in pairs(_G) do n = n + 1 end return tostring(n > 20)", "true" },
		{ "the lock of globals", "pcall(require('tidegate.core').lock) return type(print)", "function" },
		{ "debug.getupvalue", "return tostring(debug.getupvalue)", "nil" },
		{ "debug.getlocal", "return tostring(debug.getlocal)", "nil" },
		{ "debug.getmetatable", "return tostring(debug.getmetatable)", "nil" },
		{ "debug.getuservalue", "return tostring(debug.getuservalue)", "nil" },
		{ "a C function of debug.getinfo", "return tostring(debug.getinfo(2, 'f').func)", "nil" },
		{ "a Lua function of debug.getinfo", "return type(debug.getinfo(1, 'f').func)", "function" },
		{ "rawset of a global", "return tostring(pcall(rawset, _G, 'leak', 1)) .. tostring(leak)", "falsenil" },
		{ "rawset of a table", "return rawset({}, 'a', 'b').a", "b" },
		{ "the metatable of strings", "return tostring(getmetatable(''))", "false" },
	}
	for _, case in ipairs(cases) do
		it("does no harm: " .. case[1], function()
			local gateway = serving(("return function(request) %s end"):format(case[2]))
			local response = gateway:get("/")
			assert.equal(200, response.status)
			if case[3] then
				assert.equal(case[3], response.body)
			end
			still_serves(gateway)
			gateway:stop()
		end)
	end
end)

describe("a client", function()
	it("cannot send more than 10 MiB where no route is, even if middleware reads", function()
		local gateway = serving("return print", {
			files = { ["handlers/_middleware.lua"] = "return function(request, _, next) request:text() return next() end" },
		})
		local client = gateway:connect()
		client:send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 300000000\r\n\r\n")
		assert.equal(413, client:response().status)
		client:close()
		gateway:stop()
	end)

	it("gets all it asked for before it said that it sends no more", function()
		local gateway = serving("return function() require('tidegate.timer').sleep(0.01) return 'slow' end")
		local client = gateway:connect()
		client:ask("GET", "/"):ask("GET", "/hello"):ask("GET", "/hello"):finish()
		assert.equal("slow", client:response().body)
		assert.equal("hello", client:response().body)
		assert.equal("hello", client:response().body)
		assert.is_true(client:is_closed())
		client:close()
		gateway:stop()
	end)

	it("gets its response whole though it sent more than is read", function()
		local gateway = serving("return print")
		local client = gateway:connect()
		local more = ("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"):rep(8000)
		client:send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" .. more)
		assert.equal("hello", client:response().body)
		assert.is_true(client:is_closed())
		client:close()
		gateway:stop()
	end)
end)
