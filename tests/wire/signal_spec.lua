-- Signals that handlers ask for, sent to the running program.

local program = require("tests.support.program")
local server = require("tests.support.server")

local read = [[
local shared = require("tidegate.shared").open("signals")
return function(request) return tostring(shared:get(request.query.name)) end]]

-- Is it caught?  Asked of the process that serves.
local caught = [[
return function(request)
	local file = io.open("/proc/self/status")
	local set = tonumber(file:read("a"):match("SigCgt:%s*(%x+)"), 16)
	file:close()
	return tostring(set >> (request.query.number - 1) & 1 == 1)
end]]

local function on(name, code)
	return ([[
		local log, shared = require("tidegate.log"), require("tidegate.shared").open("signals")
		local tidegate, timer = require("tidegate"), require("tidegate.timer")
		require("tidegate.signal").on(%q, function(name) %s end)
		return function() end]]):format(name, code)
end

describe("tidegate.signal", function()
	local gateway

	local function start(files, options)
		files["handlers/read.lua"] = read
		files["handlers/caught.lua"] = caught
		gateway = server.start({ files = files, threads = options and options.threads, flags = options and options.flags })
	end

	local function get(name)
		return gateway:get("/read?name=" .. name).body
	end

	local function await(name, value)
		program.await(name .. " to be " .. value, function() return get(name) == value end)
	end

	local function is_caught(number)
		return gateway:get("/caught?number=" .. number).body == "true"
	end

	after_each(function()
		gateway:stop()
	end)

	it("runs the function with the signal's name, on the first thread only #threads", function()
		start({ ["handlers/a.lua"] = on("WINCH", "shared:incr('runs', 1) shared:set('who', name .. ' ' .. tidegate.thread)") }, { threads = 3 })
		for i = 1, 10 do
			gateway:signal("WINCH")
			await("runs", tostring(i))
		end
		assert.equal("WINCH 1", get("who"))
	end)

	local numbers = { { "RTMIN", 34 }, { "RTMIN+1", 35 }, { "RTMAX-2", 62 }, { "RTMAX", 64 }, { "QUIT", 3 }, { "ALRM", 14 },
		{ "CONT", 18 }, { "VTALRM", 26 }, { "PROF", 27 }, { "TSTP", 20 }, { "PWR", 30 } }
	it("takes all but those of the gateway", function()
		local files = {}
		for i, case in ipairs(numbers) do
			files[("handlers/s%d.lua"):format(i)] = on(case[1], "shared:incr(name, 1)")
		end
		start(files)
		for _, case in ipairs(numbers) do
			gateway:signal(case[2])
			await(case[1]:gsub("%+", "%%2B"), "1")
			assert.is_true(is_caught(case[2]))
		end
	end)

	it("runs every function for the signal, though others fail or wait #threads", function()
		start({
			["handlers/a.lua"] = on("WINCH", "shared:incr('a', 1) timer.sleep(0.001) error('the first fails')"),
			["handlers/b.lua"] = on("WINCH", "shared:incr('b', 1) while true do timer.sleep(60) end"),
			["handlers/c.lua"] = on("WINCH", "timer.sleep(0.001) shared:incr('c', 1)"),
		}, { flags = { "--shutdown-timeout", "0.1" } })
		for i = 1, 2 do
			gateway:signal("WINCH")
			await("a", tostring(i))
			await("c", tostring(i))
		end
		assert.equal("1", get("b"))
		assert.match('"level":"error"', gateway:wait_log('([^\n]*handlers/a%.lua:3: the first fails\\nstack traceback[^\n]*"signal":"WINCH"[^\n]*)'))
	end)

	it("runs a function once more, if the signal comes again meanwhile #threads", function()
		start({ ["handlers/a.lua"] = on("WINCH", [[
			local n = shared:incr('runs', 1)
			while n == 1 and not shared:get('go') do timer.sleep(0.001) end]]),
			["handlers/go.lua"] = "require('tidegate.signal').on('PWR', function() require('tidegate.shared').open('signals'):incr('other', 1) end) "
				.. "return function() require('tidegate.shared').open('signals'):set('go', true) end" })
		gateway:signal("WINCH")
		await("runs", "1")
		for i = 1, 5 do
			gateway:signal("WINCH")
			gateway:signal("PWR") -- of a higher number: it is told after that
			await("other", tostring(i))
		end
		assert.equal("1", get("runs"))
		gateway:get("/go")
		await("runs", "2")
		gateway:signal("WINCH")
		await("runs", "3")
	end)

	it("runs a function again after it took too much time", function()
		start({ ["handlers/a.lua"] = on("WINCH", "if shared:incr('runs', 1) == 1 then while true do end end") }, { flags = { "--time-limit", "0.2" } })
		gateway:signal("WINCH")
		gateway:wait_log("time budget exceeded")
		gateway:signal("WINCH")
		await("runs", "2")
	end)

	it("leaves a signal for which nobody asks as it was #threads", function()
		start({ ["handlers/a.lua"] = on("RTMIN+1", "") })
		assert.is_true(is_caught(35))
		assert.is_false(is_caught(36))
		assert.is_false(is_caught(28))
		gateway:replace({ ["handlers/a.lua"] = on("WINCH", "shared:incr('runs', 1)") })
		assert.is_false(is_caught(35))
		assert.is_true(is_caught(28))
		gateway:signal("WINCH")
		await("runs", "1")
		gateway:replace({ ["handlers/a.lua"] = "return function() end" })
		assert.is_false(is_caught(28))
		gateway:signal("WINCH")
		assert.equal(200, gateway:get("/read?name=x").status)
	end)

	it("belongs to the generation that serves; a reload loses none #threads", function()
		local code = "shared:incr('runs', 1) shared:set('by', tidegate.generation)"
		start({ ["handlers/a.lua"] = on("RTMIN+1", code) }, { threads = 2 })
		local signals = 0
		for generation = 2, 6 do
			gateway.project:write("handlers/a.lua", on("RTMIN+1", code) .. " -- " .. generation)
			gateway:signal("HUP")
			repeat
				signals = signals + 1
				gateway:signal("RTMIN+1")
				await("runs", tostring(signals))
			until gateway:log():find(('"generation":%d,'):format(generation), 1, true)
			signals = signals + 1
			gateway:signal("RTMIN+1")
			await("runs", tostring(signals))
			assert.equal(tostring(generation), get("by"))
		end
	end)

	it("stays with the old generation when a reload is refused #threads", function()
		start({ ["handlers/a.lua"] = on("WINCH", "shared:incr('runs', 1)") })
		for i, broken in ipairs({ "return 1", "require('tidegate.signal').on('PWR', print) require('tidegate').on_start(error) return print" }) do
			gateway.project:write("handlers/b.lua", broken)
			assert.equal(1, select(3, gateway:reload()))
			gateway:signal("WINCH")
			await("runs", tostring(i))
			assert.is_false(is_caught(30))
		end
	end)

	it("goes on in the worker that replaces a dead one", function()
		start({ ["handlers/a.lua"] = on("RTMIN+1", "shared:incr('runs', 1)") })
		gateway.may_lose_workers = true
		local dead = gateway:worker()
		os.execute("kill -KILL " .. dead)
		program.await("another worker", function()
			local worker = gateway:worker()
			return worker and worker ~= dead
		end)
		for i = 1, 3 do
			gateway:signal("RTMIN+1") -- what comes while it loads is not lost
			await("runs", tostring(i))
		end
	end)

	it("lets a run go on when its generation is replaced #threads", function()
		local code = "shared:set('began', true) while not shared:get('go') do timer.sleep(0.001) end shared:set('ended', tidegate.generation)"
		start({ ["handlers/a.lua"] = on("WINCH", code),
			["handlers/go.lua"] = "return function() require('tidegate.shared').open('signals'):set('go', true) end" })
		gateway:signal("WINCH")
		await("began", "true")
		gateway:replace({ ["handlers/a.lua"] = "return function() end" })
		gateway:get("/go")
		await("ended", "1")
	end)

	describe("refuses to load", function()
		local cases = {
			{ "'HUP', print", "HUP reloads the gateway" },
			{ "'TERM', print", "TERM stops the gateway" },
			{ "'INT', print", "INT stops the gateway" },
			{ "'USR1', print", "USR1 opens the gateway's logs again" },
			{ "'USR2', print", "USR2 is the gateway's own" },
			{ "'CHLD', print", "CHLD tells the gateway of its processes" },
			{ "'URG', print", "URG ends handlers that run for too long" },
			{ "'PIPE', print", "PIPE is ignored, since clients may leave" },
			{ "'SEGV', print", "SEGV says that the process is broken" },
			{ "'BUS', print", "BUS says that the process is broken" },
			{ "'FPE', print", "FPE says that the process is broken" },
			{ "'ILL', print", "ILL says that the process is broken" },
			{ "'ABRT', print", "ABRT says that the process is broken" },
			{ "'TRAP', print", "TRAP says that the process is broken" },
			{ "'SYS', print", "SYS says that the process is broken" },
			{ "'XFSZ', print", "XFSZ is ignored, since a file that is too large is an error" },
			{ "'KILL', print", "KILL cannot be caught" },
			{ "'STOP', print", "STOP cannot be caught" },
			{ "'WINHC', print", "unknown signal 'WINHC'; did you mean 'WINCH'?" },
			{ "'SIGWINCH', print", "unknown signal 'SIGWINCH'; did you mean 'WINCH'?" },
			{ "'winch', print", "unknown signal 'winch'; did you mean 'WINCH'?" },
			{ "'RTMIN+31', print", "unknown signal 'RTMIN+31'" },
			{ "'RTMIN-1', print", "unknown signal 'RTMIN-1'; did you mean 'RTMIN'?" },
			{ "'RTMIN+1x', print", "unknown signal 'RTMIN+1x'" },
			{ "'', print", "unknown signal ''" },
			{ "28, print", "on() takes the name of a signal, not a number" },
			{ "'WINCH'", "on() takes a function, not a nil" },
		}
		it("what is no signal for handlers, and says why", function()
			start({})
			for _, case in ipairs(cases) do
				gateway.project:write("handlers/b.lua", ("\nrequire('tidegate.signal').on(%s)\nreturn print"):format(case[1]))
				local _, errors, status = gateway:reload()
				assert.equal(1, status)
				assert.is_truthy(errors:find("handlers/b.lua:2: " .. case[2], 1, true), errors)
			end
		end)
	end)

	it("cannot be asked for later", function()
		start({ ["handlers/a.lua"] = "return function() return select(2, pcall(require('tidegate.signal').on, 'WINCH', print)) end" })
		assert.equal("handlers have been loaded: on() belongs to the top level of a file", gateway:get("/a").body)
	end)
end)

describe("a program that a handler starts", function()
	-- 'SigIgn' is a set in which signal 13 is bit 12
	local code = [[
local function ignored(text)
	local set = tonumber(text:match("SigIgn:%s*(%x+)"), 16)
	return set >> 12 & 1 == 1 or set >> 24 & 1 == 1
end

return function()
	local pipe = io.popen("grep SigIgn /proc/self/status")
	local popen = ignored(pipe:read("a"))
	pipe:close()
	os.execute("grep SigIgn /proc/self/status >" .. FILE)
	local file = io.open(FILE)
	local execute = ignored(file:read("a"))
	file:close()
	return tostring(popen) .. ' ' .. tostring(execute)
end]]

	it("has SIGPIPE and SIGXFSZ as usual, not ignored as the gateway wants them", function()
		local gateway = server.start({ files = { ["handlers/run.lua"] = "return print" } })
		gateway:replace({ ["handlers/run.lua"] = code:gsub("FILE", ("%q"):format(gateway.project.path .. "/out")) })
		assert.equal("false false", gateway:get("/run").body)
		gateway:stop()
	end)
end)
