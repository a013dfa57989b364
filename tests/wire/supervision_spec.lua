-- The master: what becomes of workers that die, get stuck or are replaced.

local crowds = require("tests.support.crowd")
local program = require("tests.support.program")
local server = require("tests.support.server")

local hello = { ["handlers/hello.lua"] = "return function() return 'hi' end" }

local function is_alive(pid)
	return os.execute(("kill -0 %d 2>/dev/null"):format(pid))
end

local function signal(name, pid)
	assert(os.execute(("kill -%s %d"):format(name, pid)))
end

-- Kills the worker, and waits until another one serves; returns its number.
local function kill_worker(gateway, name)
	local from, pid = #gateway:log(), gateway:worker()
	gateway.may_lose_workers = true
	signal(name or "KILL", pid)
	return tonumber((gateway:wait_log("worker (%d+) serves", from)))
end

local function status_of(gateway)
	local output, errors, code = program.run("status", gateway.project.path)
	assert.same({ "", 0 }, { errors, code })
	return output
end

describe("a worker that dies", function()
	local gateway

	after_each(function()
		gateway:stop()
	end)

	it("is replaced by one that serves", function()
		gateway = server.start({ files = hello })
		local first = gateway:worker()
		local second = kill_worker(gateway)
		assert.not_equal(first, second)
		assert.equal("hi", gateway:get("/hello").body)
		assert.match("worker " .. first .. " died of signal 9 %(Killed%)", gateway:log())
	end)

	it("loses the requests that were in it, and no others: nobody is refused #threads", function()
		gateway = server.start({ files = hello, threads = 2 })
		local lost, wrong, answered_after = 0, {}, 0
		local killed = false
		local crowd = crowds.new({
			port = gateway.port,
			target = "/hello",
			kept = 8,
			single = 4,
			asked = function() return killed end,
			answered = function(status, body, after)
				if status ~= 200 or body ~= "hi" then
					wrong[#wrong + 1] = status .. body
				end
				answered_after = answered_after + (after and 1 or 0)
			end,
			lost = function() lost = lost + 1 end,
		})
		crowd:run(0.2)
		gateway.may_lose_workers = true
		for round = 1, 3 do
			killed, answered_after = false, 0
			signal("KILL", gateway:worker())
			killed = true
			program.await("answers of the next worker", function()
				crowd:run(0.02)
				return answered_after > 100
			end)
			assert.is_true(lost <= 12 * round, lost .. " requests were lost")
		end
		crowd:stop()
		assert.same({}, wrong)
	end)

	it("goes on with the sources that were served, whatever the files are by now", function()
		gateway = server.start({ files = hello })
		gateway.project:write("handlers/hello.lua", "return function() return 'two' end")
		gateway:reload()
		gateway.project:write("handlers/hello.lua", "return function(")
		gateway.project:write("handlers/more.lua", "return function() return require('tidegate').generation end")
		kill_worker(gateway)
		assert.equal("two", gateway:get("/hello").body)
		assert.equal(404, gateway:get("/more").status)
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.match("^handlers/hello%.lua:1: ", errors)
		gateway.project:write("handlers/hello.lua", "return function() return tostring(require('tidegate').generation) end")
		assert.match("^generation 3 serves", (gateway:reload()))
		assert.equal("3", gateway:get("/hello").body)
		kill_worker(gateway)
		assert.equal("3", gateway:get("/hello").body)
	end)

	it("has written down the request it was in", function()
		gateway = server.start({
			files = {
				["handlers/loop.lua"] = [[
					return { limits = { time = 600 }, GET = function()
						require("tidegate.log").info("looping")
						while true do end
					end }]],
				["handlers/hello.lua"] = hello["handlers/hello.lua"],
			},
			environment = "ASAN_OPTIONS=handle_segv=0 TSAN_OPTIONS=handle_segv=0",
		})
		local connection = gateway:connect()
		connection:ask("GET", "/loop?of=doom")
		gateway:wait_log("looping")
		kill_worker(gateway, "SEGV")
		assert.match("died of signal 11 %(Segmentation fault%); thread 1: GET /loop%?of=doom", gateway:log())
		assert.is_true(connection:is_closed())
		assert.equal("hi", gateway:get("/hello").body)
		kill_worker(gateway)
		assert.match("died of signal 9 %(Killed%)[^;]", gateway:log()) -- it was in none
	end)

	it("does not lose the reload that is asked for meanwhile", function()
		gateway = server.start({ files = hello })
		for i = 2, 6 do
			gateway.project:write("handlers/hello.lua", ("return function() return '%d' end"):format(i))
			gateway.may_lose_workers = true
			signal("KILL", gateway:worker())
			program.await("a reload", function() return select(3, gateway:reload()) == 0 end)
			assert.equal(tostring(i), gateway:get("/hello").body)
		end
	end)

	it("again and again is restarted with pauses, and serves in the end", function()
		gateway = server.start({ files = hello })
		for _ = 1, 4 do
			kill_worker(gateway)
		end
		assert.equal("hi", gateway:get("/hello").body)
		assert.match("\n?process %d+, up %d+ s; worker %d+, up %d+ s; restarts: 4\n", status_of(gateway))
	end)

	it("while it stops leaves nothing behind", function()
		gateway = server.start({
			files = { ["handlers/slow.lua"] = "return function() require('tidegate.timer').sleep(60) end" },
		})
		local connection = gateway:connect()
		connection:ask("GET", "/slow")
		program.await("the request", function()
			return status_of(gateway):find("1 requests", 1, true)
		end)
		local master, worker = gateway.pid, gateway:worker()
		gateway:signal("TERM")
		signal("KILL", worker)
		assert.equal(1, gateway:wait())
		assert.is_falsy(is_alive(master))
		assert.is_falsy(is_alive(worker))
		assert.is_nil((io.open(gateway.project.path .. "/.tidegate.pid")))
		gateway.project:delete()
		gateway = { stop = function() end }
	end)
end)

describe("a master that is killed", function()
	it("takes its worker with it, after the requests in flight", function()
		local gateway = server.start({
			files = {
				["handlers/slow.lua"] = "return function() require('tidegate.timer').sleep(0.3) return 'done' end",
			},
		})
		local connection, worker = gateway:connect(), gateway:worker()
		connection:ask("GET", "/slow")
		program.await("the request", function()
			return status_of(gateway):find("1 requests", 1, true)
		end)
		gateway:signal("KILL")
		assert.equal("done", connection:response().body)
		program.await("the worker's end", function() return not is_alive(worker) end)
		gateway:wait()
		gateway.project:delete()
	end)
end)

describe("a thread that is lost in a call", function()
	local files = {
		["handlers/lost.lua"] = "return function() return ('a'):rep(300000):find('(.-)*b') end",
		["handlers/asleep.lua"] = "return function() return io.popen('exec sleep 60'):read('a') end",
		["handlers/hello.lua"] = hello["handlers/hello.lua"],
	}
	for name, told in pairs({ lost = "thread 1 does not come back", asleep = "thread 1 is blocked" }) do
		it("has its worker replaced: " .. name, function()
			local gateway = server.start({
				files = files,
				flags = { "--time-limit", "0.2", "--stuck-timeout", "0.5", "--shutdown-timeout", "0.2" },
			})
			local connection, first = gateway:connect(), gateway:worker()
			connection:ask("GET", "/" .. name)
			gateway:wait_log("worker %d+ is replaced: thread 1 is lost in a call for [%d.]+ s")
			gateway:wait_log("worker %d+ serves")
			assert.equal("hi", gateway:get("/hello").body)
			assert.is_truthy(gateway:log():find(told, 1, true))
			assert.is_true(connection:is_closed())
			program.await("the lost one's end", function() return not is_alive(first) end)
			assert.match("code that never returns was cut off", gateway:stop())
		end)
	end
end)

describe("SIGTERM to every process of the gateway", function()
	it("is one stop, not two", function()
		local gateway = server.start({
			files = {
				["handlers/slow.lua"] = "return function() require('tidegate.timer').sleep(0.3) return 'done' end",
			},
		})
		local connection = gateway:connect()
		connection:ask("GET", "/slow")
		program.await("the request", function()
			return status_of(gateway):find("1 requests", 1, true)
		end)
		os.execute(("kill -TERM %d %d"):format(gateway.pid, gateway:worker()))
		assert.equal("done", connection:response().body)
		gateway:ended()
	end)
end)
