-- Publish and subscribe: tidegate.channel.

local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")

local run = [[
local channel = require("tidegate.channel")
local task = require("tidegate.task")
local timer = require("tidegate.timer")
local kept = {}

return { limits = { wait = 600 }, GET = function() return tostring(require("tidegate").thread) end, POST = function(request, response)
	local code = "local channel, kept, task, timer, request, response = ... " .. request:text()
	return assert(load(code, "=run"))(channel, kept, task, timer, request, response)
end }
]]

describe("tidegate.channel", function()
	local gateway, connection

	around({ files = { ["handlers/run.lua"] = run, ["handlers/top.lua"] = [[
		local c = require("tidegate.channel").open("top")
		local count = c:publish("nobody listens")
		local _, message = pcall(c.subscribe, c)
		return function() return count .. message end]] }, flags = { "--drain-timeout", "20" } }, function(...)
		gateway, connection = ...
	end)

	local function answer(code)
		local response = connection:fetch("POST", "/run", { accept = "text/plain" }, code)
		assert.equal(200, response.status, response.body .. gateway:log():sub(-600))
		return response.body
	end

	local function raised(code)
		return (answer(("local _, message = pcall(function() %s end) return message"):format(code)):gsub("^run:1: ", ""))
	end

	-- { sentence, code, the answer }; c is a channel of its own
	local cases = {
		{ "publish tells how many have the value", "local a = c:publish(1) local s <close> = c:subscribe() local b = c:publish(1) "
			.. "local t <close> = c:subscribe() return a .. b .. c:publish(1)", "012" },
		{ "values come in their order, once to each", "local s, t = c:subscribe(), c:subscribe() for i = 1, 5 do c:publish(i) end "
			.. "local r = '' for i = 1, 5 do r = r .. s:get() .. t:get() end return r .. #s", "11223344550" },
		{ "values are of every kind, and copies", "local s = c:subscribe() local v = { { x = 1 } } c:publish(v) v[1].x = 2 "
			.. "c:publish(false) c:publish(2^53) c:publish(7) c:publish(('x'):rep(100000)) local got = s:get() "
			.. "return got[1].x .. tostring(s:get()) .. s:get() .. s:get() .. #s:get()", "1false9.007199254741e+157100000" },
		{ "a name is one channel", "local s = channel.open('n'):subscribe() channel.open('n'):publish('x') channel.open('m'):publish('y') "
			.. "return s:get() .. #s", "x0" },
		{ "get waits for a value", "local s = c:subscribe() task.spawn(function() timer.sleep(0.01) c:publish('x') end) return s:get(5)", "x" },
		{ "several may wait at one subscription, and one has it",
			"local s = c:subscribe() local r = {} for i = 1, 3 do task.spawn(function() local v = s:get(0.05) r[#r + 1] = v or 'none' end) end "
			.. "timer.sleep(0.001) c:publish('x') timer.sleep(0.1) table.sort(r) return table.concat(r, ' ')", "none none x" },
		{ "one that is woken and cancelled leaves the value to another",
			"local s = c:subscribe() local a = task.spawn(s.get, s) local b = task.spawn(s.get, s) timer.sleep(0.001) c:publish('x') a:cancel() "
			.. "return b:wait()", "x" },
		{ "get gives up after its time", "return table.concat({ select(2, c:subscribe():get(0.01)) }, ' ')", "timed out timeout" },
		{ "values() is for loops", "local s, r = c:subscribe(), '' task.spawn(function() for i = 1, 3 do c:publish(i) timer.sleep(0.001) end s:close() end) "
			.. "for v in s:values() do r = r .. v end return r", "123" },
		{ "close ends a get that waits", "local s = c:subscribe() task.spawn(function() timer.sleep(0.001) s:close() end) "
			.. "return table.concat({ select(2, s:get()) }, ' ')", "closed closed" },
		{ "close forgets what waits, and may come twice", "local s = c:subscribe() c:publish(1) s:close() s:close() "
			.. "return select(3, s:get()) .. #s .. c:publish(1)", "closed00" },
		{ "a to-be-closed subscription is closed", "do local s <close> = c:subscribe() end return c:publish(1)", nil },
		{ "a subscription that is collected is closed", "c:subscribe() collectgarbage() collectgarbage() return tostring(c:publish(1))", "0" },
		{ "a slow reader loses the oldest", "local s = c:subscribe{ queue = 3 } for i = 1, 10 do c:publish(i) end "
			.. "return #s .. s:get() .. select('#', s:get()) .. s:get()", "38110" },
		{ "a slow reader is told how many it lost", "local s = c:subscribe{ queue = 3, slow = 'tell' } for i = 1, 10 do c:publish(i) end "
			.. "local a, b = s:get() local d, e = s:get() c:publish('x') c:publish('y') c:publish('z') local f, g = s:get() "
			.. "return table.concat({ a, b, d, e, f, g }, ' ')", "8 7 9 0 x 1" },
		{ "a slow reader ends", "local s = c:subscribe{ queue = 3, slow = 'end' } local t = c:subscribe() local r = '' for i = 1, 5 do r = r .. c:publish(i) end "
			.. "return r .. ' ' .. table.concat({ select(2, s:get()) }, ' ') .. #t", "22211 too slow slow5" },
	}
	for i, case in ipairs(cases) do
		it(case[1], function()
			local code = ("local c = channel.open('c%d') "):format(i) .. case[2]
			if case[3] then
				assert.equal(case[3], answer(code))
			else
				assert.equal("0", answer(code:gsub("return (.*)$", "return tostring(%1)")))
			end
		end)
	end

	it("may be published to while files are loaded, and not be subscribed to", function()
		assert.matches("^0.*cannot do this while handlers are loading; use tidegate.on_start", gateway:get("/top").body)
	end)

	it("refuses misuse at the caller's line", function()
		assert.equal("bad argument #1 to 'publish' (value expected)", raised("channel.open('x'):publish(nil)"))
		assert.equal("a function cannot be shared", raised("channel.open('x'):publish(print)"))
		assert.equal("option 'queue' is a number from 1 to 1000000", raised("channel.open('x'):subscribe{ queue = 0 }"))
		assert.equal("option 'slow' is \"drop\", \"tell\" or \"end\"", raised("channel.open('x'):subscribe{ slow = 'no' }"))
		assert.equal("unknown option 'queu' of subscribe; did you mean 'queue'?", raised("channel.open('x'):subscribe{ queu = 1 }"))
		assert.equal("bad argument #1 to 'open' (a name has no zero bytes)", raised("channel.open('a\\0')"))
	end)
end)

describe("a retired generation's subscriptions", function()
	it("end: their tasks go on, and new ones are the new generation's", function()
		local gateway = server.start({ files = { ["handlers/run.lua"] = run }, flags = { "--drain-timeout", "20" } })
		local client = gateway:connect()
		client:ask("POST", "/run", nil, [[local c = channel.open('c') local s = c:subscribe() c:publish('first')
			local r = '' for v in s:values() do r = r .. v end
			return r .. ' ' .. select(3, s:get()) .. ' ' .. select(3, c:subscribe():get())]])
		program.await("it to subscribe", function()
			return gateway:fetch("POST", "/run", nil, "return tostring(channel.open('c'):publish('x'))").body == "1"
		end)
		gateway:replace({ ["handlers/new.lua"] = "return function() end" })
		local response = client:response()
		assert.equal(200, response.status)
		assert.matches("^firstx+ closed closed$", response.body)
		assert.equal("0", gateway:fetch("POST", "/run", nil, "return tostring(channel.open('c'):publish('x'))").body)
		client:close()
		gateway:stop()
	end)
end)

describe("a channel between threads #threads", function()
	local threads = 4
	local gateway

	lazy_setup(function()
		gateway = server.start({ threads = threads, files = { ["handlers/run.lua"] = run } })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	-- A client for each thread; the kernel chooses, so many are tried.
	local function one_for_each()
		local clients, others, found = {}, {}, 0
		for _ = 1, 500 do
			local client = gateway:connect()
			local thread = tonumber(client:fetch("GET", "/run").body)
			if clients[thread] then
				others[#others + 1] = client
			else
				clients[thread] = client
				found = found + 1
			end
			if found == threads then
				break
			end
		end
		for _, client in ipairs(others) do
			client:close()
		end
		assert.equal(threads, found)
		return clients
	end

	it("brings every value to each of them, in order", function()
		local clients = one_for_each()
		for _, client in ipairs(clients) do
			client:ask("POST", "/run", nil, [[local s <close> = channel.open("wide"):subscribe{ queue = 10000 }
				require("tidegate.shared").open("wide"):incr("ready")
				local last, sum = {}, 0
				for _ = 1, 4 * 500 do
					local value = s:get(50)
					assert(value.number == (last[value.from] or 0) + 1)
					last[value.from], sum = value.number, sum + value.number
				end
				return tostring(sum)]])
		end
		program.await("all to subscribe", function()
			return gateway:fetch("POST", "/run", nil, "return tostring(require('tidegate.shared').open('wide'):get('ready'))").body == "4"
		end)
		local publishers = one_for_each()
		for thread, client in ipairs(publishers) do
			client:ask("POST", "/run", nil, ([[local c = channel.open("wide")
				for i = 1, 500 do
					assert(c:publish({ from = %d, number = i }) == 4)
					if i %% 50 == 0 then timer.sleep(0) end
				end
				return "ok"]]):format(thread))
		end
		for _, client in ipairs(publishers) do
			assert.equal("ok", client:response().body)
			client:close()
		end
		for _, client in ipairs(clients) do
			assert.equal(tostring(4 * 500 * 501 // 2), client:response().body)
			client:close()
		end
	end)

	it("may be subscribed to and left while others publish and reload", function()
		local clients = one_for_each()
		for round = 1, 4 do
			for thread, client in ipairs(clients) do
				client:ask("POST", "/run", nil, thread % 2 == 0 and [[for _ = 1, 300 do
						local s <close> = channel.open("busy"):subscribe{ queue = 2, slow = "end" }
						s:get(0.002)
					end return "ok"]] or [[local c = channel.open("busy") for i = 1, 3000 do
						c:publish({ i }) if i % 100 == 0 then timer.sleep(0.001) end
					end return "ok"]])
			end
			gateway:replace({ ["handlers/new.lua"] = ("return function() return %d end"):format(round) })
			for _, client in ipairs(clients) do
				assert.equal("ok", client:response().body)
			end
		end
		for _, client in ipairs(clients) do
			client:close()
		end
	end)

	it("is left whole when the clients leave", function()
		local clients = {}
		for i = 1, 50 do
			clients[i] = gateway:connect()
			clients[i]:ask("POST", "/run", nil, "for _ in channel.open('left'):subscribe():values() do end")
		end
		local function count()
			return tonumber(gateway:fetch("POST", "/run", nil, "return tostring(channel.open('left'):publish(1))").body)
		end
		program.await("all to subscribe", function() return count() == 50 end)
		for _, client in ipairs(clients) do
			client:close()
		end
		program.await("all to be gone", function()
			gateway:fetch("POST", "/run", nil, "collectgarbage() return 'x'")
			return count() == 0
		end)
	end)
end)
