local json = require("dkjson")

local program = require("tests.support.program")
local server = require("tests.support.server")

local files = {
	["handlers/hello.lua"] = "return function() return 'hi' end",
	["handlers/slow.lua"] = [[
local timer = require("tidegate.timer")
local task = require("tidegate.task")
return function()
	task.spawn(function()
		timer.sleep(60)
	end)
	timer.sleep(60)
end
]],
	["handlers/ticks.lua"] = [[
local timer = require("tidegate.timer")
timer.every(1, function() end)
timer.every(1, function() end)
return function() end
]],
	["handlers/lost.lua"] = "return function() return ('a'):rep(300000):find('(.-)*b') end",
}

describe("tidegate status", function()
	local gateway

	local function status(...)
		local output, errors, code = program.run("status", gateway.project.path, ...)
		assert.same({ "", 0 }, { errors, code })
		return output
	end

	local function facts()
		return assert(json.decode(status("--json"), 1, nil, nil, nil))
	end

	it("tells processes, threads, what they do, and what holds replaced code", function()
		gateway = server.start({ files = files, threads = 2, flags = { "--drain-timeout", "600" } })
		local connection = gateway:connect()
		connection:ask("GET", "/slow?by=me")
		program.await("the request", function() return status():find(" 1 requests", 1, true) end)
		local text = status()
		assert.match("^process " .. gateway.pid .. ", up %d+ s; worker " .. gateway:worker()
			.. ", up %d+ s; restarts: 0\ngeneration 1 serves, %d+%.%d MiB resident\n", text)
		assert.match("\nthread 1: %d connections, %d requests, 2 timers, %d%.%d MiB of Lua\n", text)
		assert.match("\nthread 2: %d connections, %d requests, 2 timers, %d%.%d MiB of Lua\n", text)
		assert.not_match("held by", text)

		gateway:reload()
		gateway.project:write("handlers/hello.lua", "return")
		gateway:reload()
		text = status()
		assert.match("\nreload: [%d-]+T[%d:.]+Z refused: handlers/hello%.lua:1: [^\n]*\n"
			.. "reload: [%d-]+T[%d:.]+Z generation 2 serves: 0 added", text)
		assert.match('\n  generation 1, replaced %d+%.%d s ago, %d+%.%d MiB, is held by 2:\n'
			.. '    "GET /slow%?by=me" for %d+%.%d s, waits at handlers/slow%.lua:7\n'
			.. '    "a task of GET /slow%?by=me" for %d+%.%d s, waits at handlers/slow%.lua:5\n', text)

		local all = facts()
		assert.same({ gateway.pid, gateway:worker(), 0, 2, 2 },
			{ all.process, all.worker, all.restarts, all.generation, #all.reloads })
		assert.is_nil(all.last_death)
		local held
		for _, thread in ipairs(all.threads) do
			assert.is_true(thread.generations[1].serves)
			assert.equal(2, thread.generations[1].timers)
			held = held or thread.generations[2]
		end
		assert.same({ 1, false, 2, 0 }, { held.generation, held.serves, held.tasks, held.timers })
		assert.same({ "GET /slow?by=me", "handlers/slow.lua:7" }, { held.held_by[1].what, held.held_by[1].where })
		connection:close()
		program.await("the end of generation 1", function() return not status():find("held by", 1, true) end)
		gateway:stop()
	end)

	it("says which thread does not answer", function()
		gateway = server.start({
			files = files,
			flags = { "--time-limit", "0.1", "--stuck-timeout", "600", "--shutdown-timeout", "0.1" },
		})
		local connection = gateway:connect()
		connection:ask("GET", "/lost")
		gateway:wait_log("thread 1 does not come back")
		assert.match("\nthread 1 does not answer: a call holds it\n$", status())
		assert.same({ { thread = 1, answers = false } }, facts().threads)
		gateway:signal("TERM")
		assert.equal(1, gateway:wait())
		gateway.project:delete()
	end)

	it("shows a reload under way", function()
		gateway = server.start({ files = {
			["handlers/go.lua"] = "local gate = require('tidegate.shared').open('gate') "
				.. "return function() gate:set('open', true) end",
		} })
		assert.match('"reloading":null,', status("--json"))
		gateway.project:write("handlers/late.lua", [[
local gate = require("tidegate.shared").open("gate")
require("tidegate").on_start(function()
	while not gate:get("open") do
		require("tidegate.timer").sleep(0.01)
	end
end)
return function() end]])
		gateway:signal("HUP")
		program.await("a reload", function() return status():find("\na reload is under way, for %d+%.%d s\n") end)
		assert.is_true(facts().reloading >= 0)
		gateway:get("/go")
		program.await("its end", function() return not status():find("a reload is under way", 1, true) end)
		assert.match("generation 2 serves", status())
		gateway:stop()
	end)

	it("is an error, never half an answer, when the worker dies meanwhile", function()
		gateway = server.start({ files = files })
		gateway.may_lose_workers = true
		local worker = gateway:worker()
		os.execute("kill -STOP " .. worker)
		local caller = program.start({ "status", gateway.project.path, "--json" })
		program.await("a caller that waits", function()
			local file = io.open(("/proc/%d/stat"):format(caller.pid))
			local state = file and file:read("a") or ""
			if file then
				file:close()
			end
			return state:find("(tidegate) S", 1, true)
		end)
		os.execute("kill -KILL " .. worker)
		assert.equal(1, caller:wait())
		assert.is_truthy(({
			["the gateway, or its worker, ended before it had answered\n"] = true,
			["no worker serves just now\n"] = true, -- it died before it was asked
		})[caller.last_log], caller.last_log)
		gateway:wait_log("worker %d+ serves")
		assert.equal(1, facts().generation)
		gateway:stop()
	end)

	it("names a death", function()
		gateway = server.start({ files = files })
		gateway.may_lose_workers = true
		local worker = gateway:worker()
		os.execute("kill -KILL " .. worker)
		gateway:wait_log("worker %d+ serves")
		assert.match("; restarts: 1\nlast death: worker " .. worker .. " died of signal 9 %(Killed%), at [%d-]+T[%d:.]+Z\n",
			status())
		assert.match("^worker " .. worker .. " died", facts().last_death)
		gateway:stop()
	end)
end)

describe("drain_timeout", function()
	it("names in the log what it cancels, and the line where that waits", function()
		local gateway = server.start({ files = files, flags = { "--drain-timeout", "0.05" } })
		local connection = gateway:connect()
		connection:ask("GET", "/slow")
		program.await("the request", function()
			return program.run("status", gateway.project.path):find(" 1 requests", 1, true)
		end)
		gateway:reload()
		assert.equal(503, connection:response().status)
		connection:close()
		local log = gateway:stop()
		assert.match("GET /slow is cancelled after %d+%.%d s: generation 1 was replaced; it waits at handlers/slow%.lua:7",
			log)
		assert.match("a task of GET /slow is cancelled after %d+%.%d s: generation 1 was replaced; "
			.. "it waits at handlers/slow%.lua:5", log)
	end)
end)
