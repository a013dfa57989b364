-- Whatever a handler does, it ends, and the others are served.

local socket = require("socket")

local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")

-- name, the body of a handler, the line its traceback must show
local endless = {
	{ "a loop", "while true do end", 3 },
	{ "a loop that calls", "local function f() return 1 end\nwhile true do f() end", "[34]" },
	{ "pcall in a loop", "while true do\n\tpcall(function() while true do end end)\nend", 4 },
	{ "a loop in pcall in pcall", "pcall(pcall, function()\n\twhile true do end\nend)\nwhile true do end", 4 },
	{ "xpcall with a handler that loops", "xpcall(function() while true do end end, function() while true do end end)", 3 },
	{ "a message handler", "xpcall(error, function() while true do end end)", 3 },
	{ "a metamethod", "local t = setmetatable({}, { __index = function() while true do end end })\nreturn t.x", 3 },
	{ "a coroutine of its own", "coroutine.wrap(function()\n\twhile true do end\nend)()", 4 },
	{ "coroutines in coroutines, protected", [[
while true do
	pcall(coroutine.wrap(function()
		pcall(coroutine.wrap(function() while true do end end))
	end))
end]], 5 },
	{ "new coroutines without end", "while true do coroutine.wrap(function() end)() end", 3 },
	{ "a to-be-closed variable", "do local _ <close> = setmetatable({}, { __close = function()\n\twhile true do end\nend }) end", 4 },
	{ "a callback of sort", "table.sort({ 1, 2, 3 }, function() while true do end end)", 3 },
	{ "a callback of gsub", "('x'):gsub('.', function() while true do end end)", 3 },
	{ "an iterator", "for _ in function() return 1 end do end", 3 },
	{ "a goto", "::again:: goto again", 3 },
	{ "a chain of metamethods", "local t t = setmetatable({}, { __index = function(_, k) return k > 50 and t[1] or t[k + 1] or t[1] end,\n"
		.. "__add = function(a) return a end, __concat = function() while true do t = t + 1 end end }) return t .. 1", 4 },
	{ "a coroutine that is resumed for ever", "local co = coroutine.wrap(function() while true do coroutine.yield() end end)\nwhile true do co() end", "[34]" },
	{ "a coroutine's __close", "coroutine.wrap(function()\n"
		.. "local _ <close> = setmetatable({}, { __close = function() while true do end end }) error('x') end)()", 4 },
	{ "coroutine.close", "local co = coroutine.create(function()\nlocal _ <close> = setmetatable({}, { __close = function() while true do end end }) "
		.. "coroutine.yield() end)\ncoroutine.resume(co) coroutine.close(co)", 4 },
	{ "a child that is waited for", "require('tidegate.task').all{ function()\nwhile true do end end }", 4 },
	{ "the time of day, asked again and again", "while true do os.time() end", 3 },
}

local files = {
	["handlers/quick.lua"] = "return function() return 'quick' end",
	["handlers/finalizer.lua"] = [[
return { limits = { time = 0.2 }, GET = function()
	setmetatable({}, { __gc = function() while true do end end })
	collectgarbage()
	return "collected"
end }]],
	["handlers/finalized.lua"] = [[
local log = require("tidegate.log")
return function()
	setmetatable({}, { __gc = function(self) log.info("finalized a " .. type(self)) end })
	collectgarbage()
	return "collected"
end]],
	["handlers/faulty.lua"] = [[
return function()
	local faults = { "plain", {}, false, setmetatable({}, { __tostring = function() error("twice") end }) }
	for i = 1, 4 do
		setmetatable({}, { __gc = function() error(faults[i]) end })
	end
	collectgarbage()
	return "collected"
end]],
	["handlers/cleanup.lua"] = [[
local log = require("tidegate.log")
return { limits = { time = 0.1 }, GET = function()
	local _ <close> = setmetatable({}, { __close = function()
		for i = 1, 1000 do string.format("%d", i) end
		log.info("cleaned up")
	end })
	while true do end
end }]],
	["handlers/protected_cleanup.lua"] = [[
local log = require("tidegate.log")
return { limits = { time = 0.1 }, GET = function()
	pcall(function()
		local _ <close> = setmetatable({}, { __close = function() log.info("cleaned up, too") end })
		while true do end
	end)
	while true do end
end }]],
	["handlers/close_later.lua"] = [[
return { limits = { time = 0.2 }, GET = function()
	local _ <close> = setmetatable({}, { __close = function() while true do end end })
	while true do end
end }]],
	["handlers/waiter.lua"] = [[
local timer = require("tidegate.timer")
return { limits = { time = 0.2 }, GET = function()
	local sum = 0
	for _ = 1, 20 do -- in all this runs longer than its time, but never without a wait
		local ends = os.clock() + 0.03
		while os.clock() < ends do sum = sum + 1 end
		timer.sleep(0)
	end
	return "waited"
end }]],
	["handlers/after.lua"] = [[
local timer = require("tidegate.timer")
return function()
	timer.after(0, function()
		while true do end
	end)
	return "armed"
end]],
	["handlers/pattern.lua"] = [[
return { limits = { time = 0.1 }, GET = function()
	local text = ("a"):rep(25000)
	text:find("^(.-)(.-)b")
	return "found nothing"
end }]],
	["handlers/lpeg.lua"] = [[
local lpeg = require("lpeg")
return { limits = { time = 60 }, GET = function()
	local any = lpeg.P(1)
	local text = ("a"):rep(50000)
	local found = (any - lpeg.P(any ^ 0 * "b")) ^ 0 * -1
	return tostring(found:match(text))
end }]],
	["handlers/busy.lua"] = [[
return { limits = { time = 60 }, GET = function()
	local ends = os.clock() + 0.5
	while os.clock() < ends do
		coroutine.wrap(function() return ("x"):rep(10) end)()
	end
	return "computed"
end }]],
	["handlers/execute.lua"] = [[return function() return tostring(os.execute("sleep 0.5")) end]],
	["handlers/pipe.lua"] = [[
return function()
	local pipe = io.popen("sleep 0.5; echo through")
	local line = pipe:read("l")
	pipe:close()
	return line
end]],
}

for i, case in ipairs(endless) do
	files[("handlers/endless/%d.lua"):format(i)] = ("return { limits = { time = 0.2 }, GET = function()\n-- %s\n%s\nend }")
		:format(case[1], case[2])
end

describe("limits.time ends", function()
	local gateway, connection
	around({ files = files, flags = { "--time-limit", "0.3" } }, function(g, c)
		gateway, connection = g, c
	end)

	for i, case in ipairs(endless) do
		it(case[1] .. ", and shows where it ran", function()
			assert.equal("quick", connection:fetch("GET", "/quick").body)
			local before = #gateway:log()
			local began = socket.gettime()
			local response = connection:fetch("GET", "/endless/" .. i)
			if program.measures_memory and socket.gettime() - began > 0.3 then -- the machine was busy: once more
				began = socket.gettime()
				response = connection:fetch("GET", "/endless/" .. i)
				assert.is_true(socket.gettime() - began <= 0.3, "it took more than 1.5 times its budget")
			end
			assert.equal(503, response.status)
			assert.matches('"detail":"the handler ran for too long"', response.body, 1, true)
			gateway:wait_log(("handlers/endless/%d.lua:%s: time budget exceeded: 200 ms without a wait"):format(i, case[3]), before)
			assert.equal("quick", connection:fetch("GET", "/quick").body)
		end)
	end

	it("a finalizer", function()
		assert.equal("collected", connection:fetch("GET", "/finalizer").body) -- it hurts nobody else
		gateway:wait_log("__gc: handlers/finalizer.lua:2: time budget exceeded")
		assert.equal("quick", connection:fetch("GET", "/quick").body)
	end)

	it("a timer", function()
		assert.equal("armed", connection:fetch("GET", "/after").body)
		gateway:wait_log("timer: handlers/after.lua:4: time budget exceeded: 300 ms")
		assert.equal("quick", connection:fetch("GET", "/quick").body)
	end)

	it("what cleans up after that", function()
		assert.equal(503, connection:fetch("GET", "/close_later").status)
		assert.equal("quick", connection:fetch("GET", "/quick").body)
	end)
end)

describe("limits.time", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	it("lets what was over it clean up", function()
		assert.equal(503, connection:fetch("GET", "/cleanup").status)
		gateway:wait_log('"cleaned up"')
		assert.equal(503, connection:fetch("GET", "/protected_cleanup").status)
		gateway:wait_log('"cleaned up, too"')
	end)

	it("lets finalizers run that end", function()
		assert.equal("collected", connection:fetch("GET", "/finalized").body)
		gateway:wait_log("finalized a table")
	end)

	it("lets finalizers raise whatever they like", function()
		assert.equal("collected", connection:fetch("GET", "/faulty").body)
		gateway:wait_log("__gc: handlers/faulty.lua:4: plain")
		assert.equal("quick", connection:fetch("GET", "/quick").body)
	end)

	it("begins anew with each wait", function()
		assert.equal("waited", connection:fetch("GET", "/waiter").body)
	end)

	it("cannot end a C function, but the log tells of it", function()
		connection:ask("GET", "/pattern")
		gateway:wait_log("thread 1 does not come back: a call runs for [%d.]+ s\\n\\t%[C%]\\n\\thandlers/pattern.lua:3")
		assert.is_true(connection:response().status < 504)
	end)

	it("tells of a C function that computes, before its time is over", function()
		local before = #gateway:log()
		assert.equal(200, connection:fetch("GET", "/lpeg").status)
		gateway:wait_log("thread 1 does not come back: a call runs for [%d.]+ s\\n\\t%[C%]\\n\\thandlers/lpeg.lua:6", before)
		assert.is_nil(gateway:log():find("does not come back.-does not come back", before + 1), "it is told once")
	end)

	it("tells of no C function where Lua computes", function()
		local before = #gateway:log()
		assert.equal("computed", connection:fetch("GET", "/busy").body)
		assert.is_nil(gateway:log():find("does not come back", before + 1, true))
	end)

	it("tells of os.execute", function()
		local before = #gateway:log()
		assert.equal("true", connection:fetch("GET", "/execute").body)
		gateway:wait_log("thread 1 is blocked: a call has not returned for 0.%d s.-handlers/execute.lua:1", before)
	end)

	it("does not count as long as a call is blocked, but the log tells of it", function()
		local before = #gateway:log()
		assert.equal("through", connection:fetch("GET", "/pipe").body)
		gateway:wait_log("thread 1 is blocked: a call has not returned for 0.%d s.-handlers/pipe.lua:3", before)
	end)
end)

-- ThreadSanitizer hands a signal over where the code calls the system: a loop
-- without such a call never sees it.  So these are the ways through the
-- watchdog, its signal and its hooks that it can follow.
describe("the watchdog #threads", function()
	it("ends tasks on several threads at once, and slices others", function()
		local gateway = server.start({ threads = 2, flags = { "--time-slice", "0.002" }, files = {
			["handlers/quick.lua"] = files["handlers/quick.lua"],
			["handlers/loop.lua"] = "return { limits = { time = 0.2 }, GET = function() while true do io.open('/') end end }",
			["handlers/sorted.lua"] = "return { limits = { time = 0.2 }, GET = function() table.sort({ 1, 2, 3 }, function() "
				.. "while true do io.open('/') end end) end }",
			["handlers/nested.lua"] = "return { limits = { time = 0.2 }, GET = function() coroutine.wrap(function() local _ <close> = "
				.. "setmetatable({}, { __close = function() while true do io.open('/') end end }) error('x') end)() end }",
			["handlers/slow.lua"] = "return { limits = { time = 60 }, GET = function() for _ = 1, 3000 do\nio.open('/')\nend return 'slow' end }",
		} })
		local clients, expected = {}, {}
		for i, target in ipairs({ "loop", "sorted", "nested", "slow", "slow", "loop", "quick" }) do
			clients[i] = gateway:connect():ask("GET", "/" .. target)
			expected[i] = (target == "slow" or target == "quick") and 200 or 503
		end
		for i, client in ipairs(clients) do
			assert.equal(expected[i], client:response().status)
			client:close()
		end
		gateway:stop()
	end)
end)

describe("a file that never ends loading", function()
	it("refuses the reload, and shows where", function()
		local gateway = server.start({ files = files, flags = { "--start-timeout", "0.3" } })
		gateway.project:write("handlers/stuck.lua", "local x = 1\nwhile true do end")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("handlers/stuck.lua:2: time budget exceeded", errors, 1, true)
		assert.equal("quick", gateway:get("/quick").body)
		gateway:stop()
	end)


	it("is on_start, too", function()
		local gateway = server.start({ files = files, flags = { "--time-limit", "0.2" } })
		gateway.project:write("handlers/stuck.lua",
			"require('tidegate').on_start(function()\n\twhile true do end\nend)\nreturn function() end")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("on_start failed: handlers/stuck.lua:2: time budget exceeded", errors, 1, true)
		assert.equal("quick", gateway:get("/quick").body)
		gateway:stop()
	end)
end)
