-- A state that what its modules keep has filled for good: its thread gets a
-- fresh one of the same generation.

local program = require("tests.support.program")
local server = require("tests.support.server")

local keep = [[
local tidegate = require("tidegate")
local kept, asked = {}, 0
return function()
	asked = asked + 1
	kept[#kept + 1] = ("x"):rep(2^18) .. asked
	return { generation = tidegate.generation, thread = tidegate.thread, asked = asked }
end]]

local slow = [[
local timer = require("tidegate.timer")
return function(_, response)
	response:write("begun ")
	timer.sleep(0.5)
	response:write("and ended")
end]]

local lifecycle = [[
local log, tidegate, timer = require("tidegate.log"), require("tidegate"), require("tidegate.timer")
local loads = require("tidegate.shared").open("loads"):incr("loads")
tidegate.on_start(function() log.info("start " .. loads) end)
tidegate.on_stop(function() log.info("stop " .. loads) end)
timer.every(0.01, function() log.info("tick of " .. loads) end)
return function() return tostring(loads) end]]

local function start(files, limit)
	return server.start({ files = files, threads = 1, flags = { "--state-limit", tostring((limit or 24) * 2 ^ 20 | 0), "--log-level", "info" } })
end

-- Asks until it is refused.
local function fill(gateway)
	local client = gateway:connect()
	program.await("a refusal", function() return client:fetch("GET", "/keep").status == 503 end)
	client:close()
end

local function is_replaced(gateway)
	local before = #gateway:log()
	fill(gateway)
	gateway:wait_log("a fresh state of generation 1 serves on thread 1", before)
end

describe("a state that is full for good #threads", function()
	it("is replaced by a fresh one of the same generation", function()
		local gateway = start({ ["handlers/keep.lua"] = keep })
		for _ = 1, 3 do
			is_replaced(gateway)
		end
		assert.matches('"asked":1,"generation":1,"thread":1', gateway:get("/keep").body)
		gateway:wait_log("generation 1 has no memory left on thread 1: what its modules keep takes it all; a fresh state is loaded")
		gateway:wait_log("a fresh state of generation 1 serves on thread 1")
		gateway:stop()
	end)

	it("ends as one that a reload replaces: what runs in it goes on, its timers do not", function()
		local gateway = start({ ["handlers/keep.lua"] = keep, ["handlers/slow.lua"] = slow, ["handlers/life.lua"] = lifecycle })
		local client = gateway:connect():ask("GET", "/slow")
		client:head()
		assert.equal("begun ", client:chunk())
		is_replaced(gateway)
		assert.equal("2", gateway:get("/life").body)
		gateway:wait_log("start 2")
		gateway:wait_log("stop 1")
		local _, stopped = gateway:log():find('"stop 1"', 1, true)
		gateway:wait_log("tick of 2.-tick of 2", stopped)
		assert.is_nil(gateway:log():find("tick of 1", stopped, true))
		assert.equal("and ended", client:chunk())
		client:close()
		gateway:stop()
	end)

	it("stays where a fresh one does not start, and says why", function()
		local gateway = start({ ["handlers/keep.lua"] = keep, ["handlers/life.lua"] = [[
			local loads = require("tidegate.shared").open("loads"):incr("loads")
			require("tidegate").on_start(function() if loads == 2 then error("no second time") end end)
			return function() return tostring(loads) end]] })
		fill(gateway)
		gateway:wait_log("a fresh state did not start: on_start failed: [^\n]*no second time")
		assert.equal("1", gateway:get("/life").body)
		gateway:replace({})
		assert.matches('"generation":2', gateway:get("/keep").body)
		gateway:stop()
	end)

	it("stays where a fresh one does not load", function()
		local gateway = start({ ["handlers/keep.lua"] = keep, ["handlers/life.lua"] = [[
			if require("tidegate.shared").open("loads"):incr("loads") == 2 then error("not again") end
			return function() return "on" end]] })
		fill(gateway)
		gateway:wait_log("a fresh state did not load: handlers/life.lua:1: not again")
		assert.equal("on", gateway:get("/life").body)
		gateway:stop()
	end)

	it("is not one whose tasks hold the memory", function()
		local gateway = start({ ["handlers/hold.lua"] = [[
			local timer = require("tidegate.timer")
			return function() local t = ("x"):rep(8 * 2^20) timer.sleep(0.2) return tostring(#t) end]] })
		local clients, refused = {}, 0
		for i = 1, 6 do
			clients[i] = gateway:connect():ask("GET", "/hold")
		end
		for i = 1, 6 do
			refused = refused + (clients[i]:response().status == 503 and 1 or 0)
			clients[i]:close()
		end
		assert.is_true(refused > 0)
		assert.equal(200, gateway:get("/hold").status)
		assert.is_nil(gateway:stop():find("no memory left", 1, true))
	end)
end)
