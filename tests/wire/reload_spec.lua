local program = require("tests.support.program")
local server = require("tests.support.server")

local function answers(text)
	return ("return function() return %q end\n"):format(text)
end

local function gates(name)
	return ([[
local shared = require("tidegate.shared").open("gates")
local timer = require("tidegate.timer")
return function()
	shared:set("inside", true)
	while not shared:get("open") do timer.sleep(0.01) end
	return %q
end
]]):format(name)
end

local open_gate = [[
local shared = require("tidegate.shared").open("gates")
return { POST = function() shared:set("open", true) end, GET = function() return tostring(shared:get("inside")) end }
]]

describe("a reload", function()
	local gateway

	before_each(function()
		gateway = server.start({ threads = 2, files = { ["handlers/a.lua"] = answers("one") } })
	end)

	after_each(function()
		gateway:stop()
	end)

	it("serves the new files, and says what changed", function()
		gateway.project:write("handlers/a.lua", answers("two"))
		gateway.project:write("handlers/b.lua", answers("new"))
		local report, _, code = gateway:reload()
		assert.equal(0, code)
		assert.matches("^generation 2 serves: 1 added, 0 removed, 1 changed %(handlers/a.lua, handlers/b.lua%), [%d.]+ ms\n$", report)
		assert.equal("two", gateway:get("/a").body)
		assert.equal("new", gateway:get("/b").body)

		gateway.project:remove("handlers/b.lua")
		assert.matches("generation 3 serves: 0 added, 1 removed, 0 changed", (gateway:reload()))
		assert.equal(404, gateway:get("/b").status)
	end)

	it("is visible on a connection that was there before", function()
		local connection = gateway:connect()
		assert.equal("one", connection:fetch("GET", "/a").body)
		gateway:replace({ ["handlers/a.lua"] = answers("two") })
		assert.equal("two", connection:fetch("GET", "/a").body)
		connection:close()
	end)

	it("sees changed modules in lua/", function()
		gateway:replace({
			["lua/words.lua"] = "return { greeting = 'hello' }",
			["handlers/a.lua"] = "local words = require('words') return function() return words.greeting end",
		})
		assert.equal("hello", gateway:get("/a").body)
		gateway:replace({ ["lua/words.lua"] = "return { greeting = 'salve' }" })
		assert.equal("salve", gateway:get("/a").body)
	end)

	it("runs every file afresh, those that stay and those that change", function()
		local counts = "local n = 0 return function() n = n + 1 return n .. %q end\n"
		gateway:replace({ ["handlers/stays.lua"] = counts:format(" same") })
		for i = 1, 4 do
			gateway:replace({ ["handlers/changes.lua"] = counts:format(" text " .. i % 2) })
			assert.equal("1 same", gateway:get("/stays").body)
			assert.equal("1 text " .. i % 2, gateway:get("/changes").body)
		end
	end)

	it("keeps the names and the lines of files that stay", function()
		local tells = "return function() return debug.getinfo(1, 'Sl') end\n"
		gateway:replace({
			["lua/one.lua"] = tells,
			["lua/two.lua"] = tells,
			["handlers/a.lua"] = [[
				local modules = { require("one"), require("two") }
				return function()
					local one, two = modules[1](), modules[2]()
					local here = debug.getinfo(1, "Sl")
					return ("%s:%d %s:%d %s:%d"):format(one.short_src, one.currentline, two.short_src, two.currentline,
						here.short_src, here.currentline)
				end]],
		})
		for _ = 1, 4 do
			assert.equal("lua/one.lua:1 lua/two.lua:1 handlers/a.lua:4", gateway:get("/a").body)
			gateway:reload()
		end
	end)

	it("lets a request that waits end on the code it began with", function()
		gateway:replace({ ["handlers/wait.lua"] = gates("old"), ["handlers/gate.lua"] = open_gate })
		local waiting = gateway:connect():ask("GET", "/wait")
		program.await("the request to be inside", function()
			return gateway:get("/gate").body == "true"
		end)
		gateway:replace({ ["handlers/wait.lua"] = gates("new") })
		assert.is_true(waiting:is_silent())
		assert.equal(204, gateway:fetch("POST", "/gate").status)
		assert.equal("old", waiting:response().body)
		assert.equal("new", waiting:fetch("GET", "/wait").body)
		waiting:close()
	end)

	describe("that is refused changes nothing:", function()
		local cases = {
			{ "a syntax error", "return function( end", "handlers/b.lua:1: " },
			{ "an error at the top level", "\nerror('no')", "handlers/b.lua:2: no" },
			{ "a wrong value", "return 5", "handlers/b.lua:1: must return a function" },
			{ "a missing module", "\nrequire('nowhere')", "handlers/b.lua:2: module 'nowhere' not found" },
			{ "a route that is there already", "return { path = '/a', GET = print }", "'/a' is also served by handlers/a.lua" },
			{ "a wait at the top level", "require('tidegate.timer').sleep(1)", "handlers/b.lua:1: " },
			{
				"an on_start that fails",
				"require('tidegate').on_start(function() error('no database') end) return print",
				"on_start failed: handlers/b.lua:1: no database",
			},
			{
				"an on_start that fails on one thread, later",
				[[
local tidegate = require("tidegate")
tidegate.on_start(function()
	require("tidegate.timer").sleep(0.05)
	if tidegate.thread == 2 then error("not here") end
end)
return print]],
				"on_start failed: handlers/b.lua:4: not here",
			},
		}
		for _, case in ipairs(cases) do
			local name, text, message = table.unpack(case)
			it(name, function()
				gateway.project:write("handlers/a.lua", answers("two"))
				gateway.project:write("handlers/b.lua", text)
				local _, errors, code = gateway:reload()
				assert.equal(1, code)
				assert.is_truthy(errors:find(message, 1, true), errors)
				assert.equal("one", gateway:get("/a").body)
				assert.equal(404, gateway:get("/b").status)
				gateway.project:remove("handlers/b.lua")
				assert.matches("generation 2 serves", (gateway:reload()))
			end)
		end
	end)

	it("says that settings of the gateway itself wait for a restart", function()
		gateway.project:write("tidegate.lua", "return { threads = 3 }")
		local report = gateway:reload()
		assert.is_truthy(report:find("1 added, 0 removed, 0 changed (tidegate.lua); "
			.. "the gateway's own settings wait for a restart, ", 1, true), report)
	end)

	it("lists every error, not only the first", function()
		gateway.project:write("handlers/b.lua", "return function( end")
		gateway.project:write("handlers/c.lua", "return 5")
		local _, errors = gateway:reload()
		assert.matches("handlers/b.lua:1:", errors, 1, true)
		assert.matches("handlers/c.lua:1:", errors, 1, true)
		gateway.project:remove("handlers/b.lua")
		gateway.project:remove("handlers/c.lua")
	end)

	it("waits for on_start, which may wait itself", function()
		gateway:replace({
			["handlers/a.lua"] = [[
local ready = false
require("tidegate").on_start(function() require("tidegate.timer").sleep(0.05) ready = true end)
return function() return tostring(ready) end]],
		})
		for _ = 1, 4 do
			assert.equal("true", gateway:get("/a").body)
		end
	end)

	it("ends the timers of the generation before it, and runs its on_stop", function()
		gateway:replace({
			["handlers/a.lua"] = [[
local shared = require("tidegate.shared").open("t")
local tidegate = require("tidegate")
require("tidegate.timer").every(0.005, function() shared:incr("ticks") shared:set("by", tidegate.generation) end)
tidegate.on_stop(function() shared:incr("stopped") end)
return function() return ("%s %s"):format(shared:get("ticks") or 0, shared:get("stopped") or 0) end]],
		})
		local function figures()
			return gateway:get("/a").body:match("(%d+) (%d+)")
		end
		program.await("ticks", function() return tonumber((figures())) > 3 end)
		gateway:replace({
			["handlers/a.lua"] = [[
local shared = require("tidegate.shared").open("t")
return function() return ("%s %s"):format(shared:get("ticks"), shared:get("stopped") or 0) end]],
		})
		program.await("on_stop on both threads", function() return select(2, figures()) == "2" end)
		local ticks = figures()
		require("socket").sleep(0.05) -- ten ticks, if there were any
		assert.equal(ticks, (figures()))
	end)

	it("answers ten signals in a burst with few reloads of the newest files", function()
		gateway.project:write("handlers/a.lua", answers("two"))
		for _ = 1, 10 do
			gateway:signal("HUP")
		end
		gateway.project:write("handlers/a.lua", answers("three"))
		gateway:signal("HUP")
		program.await("the newest file", function() return gateway:get("/a").body == "three" end)
		local generation = tonumber(gateway:reload():match("generation (%d+)"))
		assert.is_true(generation <= 13, generation)
	end)

	it("cuts off what does not end within drain_timeout", function()
		gateway:stop()
		gateway = server.start({
			flags = { "--drain-timeout", "0.05" },
			files = { ["handlers/wait.lua"] = gates("old"), ["handlers/gate.lua"] = open_gate },
		})
		local waiting = gateway:connect():ask("GET", "/wait")
		program.await("the request to be inside", function()
			return gateway:get("/gate").body == "true"
		end)
		gateway:replace({ ["handlers/b.lua"] = answers("b") })
		assert.equal(503, waiting:response().status)
		waiting:close()
	end)
end)

describe("many reloads #slow", function()
	it("leave memory and descriptors where a hundred left them", function()
		local gateway = server.start({ threads = 2, files = { ["handlers/a.lua"] = answers("0") } })
		local function reload(from, to)
			for number = from, to do
				gateway.project:write("handlers/a.lua", answers(tostring(number)))
				local _, errors, code = gateway:reload()
				assert(code == 0, errors)
				assert.equal(tostring(number), gateway:get("/a").body)
			end
		end
		reload(1, 100)
		local resident, descriptors = gateway:resident(), gateway:descriptors()
		reload(101, 1000)
		program.await("the descriptors to be as few as before", function()
			return gateway:descriptors() <= descriptors
		end)
		assert.is_true(not program.measures_memory or gateway:resident() <= resident * 1.1, ("%d, then %d"):format(resident, gateway:resident()))
		gateway:stop()
	end)
end)
