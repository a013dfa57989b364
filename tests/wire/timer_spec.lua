local socket = require("socket")

local around = require("tests.support.around")
local server = require("tests.support.server")

local run = [[
local log = require("tidegate.log")
local timer = require("tidegate.timer")

return function(request, response)
	return assert(load("local timer, log, request, response = ... " .. request:text(), "=run"))(timer, log, request, response)
end
]]

describe("tidegate.timer", function()
	local gateway, connection

	around({ files = {
		["handlers/run.lua"] = run,
		["handlers/top.lua"] = [[
			local timer, log = require("tidegate.timer"), require("tidegate.log")
			timer.after(0.001, log.info, "made while loading")
			local ok, message = pcall(timer.sleep, 0)
			return function() return message end]],
	} }, function(...)
		gateway, connection = ...
	end)

	local function post(code)
		return connection:fetch("POST", "/run", nil, code)
	end

	local function answer(code)
		return post(code).body
	end

	describe("sleep", function()
		it("waits at least that long, and returns true", function()
			for i = 1, 20 do
				local seconds = 0.005 + i / 1000
				local before = socket.gettime()
				assert.equal("true", answer(("return tostring(timer.sleep(%g))"):format(seconds)))
				assert.is_true(socket.gettime() - before >= seconds)
			end
		end)

		it("raises in a finalizer, and the task that runs goes on", function()
			assert.equal("cannot wait here: not in a handler, timer or on_start", answer("local message "
				.. "setmetatable({}, { __gc = function() message = select(2, pcall(timer.sleep, 0.01)) end }) collectgarbage() "
				.. "timer.sleep(0.03) return message"))
		end)

		it("lets other requests go on", function()
			connection:ask("POST", "/run", nil, "require('tidegate.shared').open('s'):set('in', true) "
				.. "while not require('tidegate.shared').open('s'):get('out') do timer.sleep(0.001) end return 'slow'")
			local other = gateway:connect()
			repeat
				local inside = other:fetch("POST", "/run", nil, "return tostring(require('tidegate.shared').open('s'):get('in'))").body
			until inside == "true"
			other:fetch("POST", "/run", nil, "require('tidegate.shared').open('s'):set('out', true)")
			assert.equal("slow", connection:response().body)
			other:close()
		end)

		it("of 0 lets others run, too", function()
			assert.equal("done", answer("for _ = 1, 100 do timer.sleep(0) end return 'done'"))
		end)

		local places = {
			{ "pcall", "local ok, v = pcall(function() timer.sleep(0.001) return 'v' end) return tostring(ok) .. v", "truev" },
			{ "pcall around an error behind it",
				"local ok, v = pcall(function() timer.sleep(0.001) error('e', 0) end) return tostring(ok) .. v", "falsee" },
			{ "xpcall with a handler",
				"local ok, v = xpcall(function() timer.sleep(0.001) error('e', 0) end, function(m) return m .. '!' end) return tostring(ok) .. v", "falsee!" },
			{ "nested pcalls", "return select(3, pcall(pcall, pcall, function() timer.sleep(0.001) return 'v' end)) and 'v'", "v" },
			{ "coroutine.wrap",
				"local f = coroutine.wrap(function(a) timer.sleep(0.001) local b = coroutine.yield(a .. 1) timer.sleep(0.001) return b .. 2 end) "
				.. "return f('a') .. f('b')", "a1b2" },
			{ "coroutine.resume",
				"local co = coroutine.create(function(a) timer.sleep(0.001) return a, coroutine.yield(1) end) "
				.. "local _, x = coroutine.resume(co, 'a') local _, y, z = coroutine.resume(co, 'b') return x .. y .. z .. coroutine.status(co)", "1abdead" },
			{ "a coroutine that fails behind it",
				"local ok, m = coroutine.resume(coroutine.create(function() timer.sleep(0.001) error('e', 0) end)) return tostring(ok) .. m", "falsee" },
			{ "a wrapped coroutine that fails behind it",
				"local ok, m = pcall(coroutine.wrap(function() timer.sleep(0.001) error('e', 0) end)) return tostring(ok) .. m:match('e$')", "falsee" },
			{ "coroutines in coroutines", "local function deep(n) if n == 0 then timer.sleep(0.001) return 'bottom' end "
				.. "return coroutine.wrap(deep)(n - 1) end return deep(10)", "bottom" },
			{ "an iterator", "local s = '' for i in function(_, i) timer.sleep(0.001) i = (i or 0) + 1 return i < 4 and i or nil end "
				.. "do s = s .. i end return s", "123" },
			{ "an iterator of a coroutine", "local s = '' for i in coroutine.wrap(function() for i = 1, 3 do timer.sleep(0.001) coroutine.yield(i) end end) "
				.. "do s = s .. i end return s", "123" },
			{ "__index", "return setmetatable({}, { __index = function(_, k) timer.sleep(0.001) return k end }).key", "key" },
			{ "__newindex", "local t, r = nil, '' t = setmetatable({}, { __newindex = function(_, k, v) timer.sleep(0.001) r = k .. v end }) t.a = 'b' return r", "ab" },
			{ "__add", "return setmetatable({}, { __add = function() timer.sleep(0.001) return 'sum' end }) + 1", "sum" },
			{ "__concat", "return setmetatable({}, { __concat = function() timer.sleep(0.001) return 'cat' end }) .. 'x'", "cat" },
			{ "__eq", "local mt = { __eq = function() timer.sleep(0.001) return true end } return tostring(setmetatable({}, mt) == setmetatable({}, mt))", "true" },
			{ "__lt", "local mt = { __lt = function() timer.sleep(0.001) return true end } return tostring(setmetatable({}, mt) < setmetatable({}, mt))", "true" },
			{ "__len", "return tostring(#setmetatable({}, { __len = function() timer.sleep(0.001) return 7 end }))", "7" },
			{ "__call", "return setmetatable({}, { __call = function(_, a) timer.sleep(0.001) return a end })('called')", "called" },
			{ "__pairs", "for k in pairs(setmetatable({}, { __pairs = function() timer.sleep(0.001) return next, { k = 1 } end })) do return k end", "k" },
			{ "__close", "local s = 'a' do local c <close> = setmetatable({}, { __close = function() timer.sleep(0.001) s = s .. 'b' end }) end return s", "ab" },
			{ "a tail call", "return (function() return timer.sleep(0.001) and 'tail' end)()", "tail" },
			{ "tostring of select", "return tostring(select(2, 'a', timer.sleep(0.001)))", "true" },
		}
		for _, place in ipairs(places) do
			local what, code, expected = table.unpack(place)
			it("waits in " .. what, function()
				assert.equal(expected, answer(code))
			end)
		end

		local nowhere = {
			{ "string.gsub", "string.gsub('a', 'a', function() timer.sleep(0) end)" },
			{ "table.sort", "table.sort({ 2, 1 }, function() timer.sleep(0) end)" },
			{ "load", "assert(load(function() timer.sleep(0) end))" },
			{ "tostring", "tostring(setmetatable({}, { __tostring = function() timer.sleep(0) end }))" },
			{ "a coroutine in string.gsub", "string.gsub('a', 'a', coroutine.wrap(function() timer.sleep(0) end))" },
		}
		for _, case in ipairs(nowhere) do
			local what, code = table.unpack(case)
			it("refuses to wait in " .. what, function()
				assert.matches("cannot wait here: inside a call that cannot be continued",
					answer(("local _, m = pcall(function() %s end) return m"):format(code)))
				assert.equal("on", answer("timer.sleep(0) return 'on'"))
			end)
		end

		it("refuses to wait while files are loading", function()
			assert.equal("cannot wait here: not in a handler, timer or on_start", gateway:get("/top").body)
		end)

		it("hides its wait from coroutine.status and from other resumes", function()
			assert.equal("suspended", answer("local co co = coroutine.create(function() timer.sleep(0.02) end) "
				.. "timer.after(0.001, function() log.info('meddles ' .. tostring(select(2, coroutine.resume(co)))) end) "
				.. "coroutine.resume(co) return 'suspended'"))
			gateway:wait_log("meddles cannot resume a coroutine that waits in another task")
		end)

		it("ends with the handler when the client leaves", function()
			connection:ask("POST", "/run", nil, "local c <close> = setmetatable({}, { __close = function() log.info('sleeper closed') end }) "
				.. "coroutine.wrap(function() local d <close> = setmetatable({}, { __close = function() log.info('inner closed') end }) "
				.. "log.info('sleeper begins') pcall(timer.sleep, 1000) log.info('sleeper went on') end)()")
			gateway:wait_log("sleeper begins")
			connection:close()
			gateway:wait_log("inner closed.*sleeper closed")
			assert.is_nil(gateway:log():find("sleeper went on", 1, true))
		end)

		it("keeps thousands apart", function()
			local code = "local left = 1000 for i = 1, 1000 do timer.after(0, function() timer.sleep(i % 7 / 1000) left = left - 1 end) end "
				.. "while left > 0 do timer.sleep(0.001) end return 'all'"
			assert.equal("all", answer(code))
		end)
	end)

	describe("after", function()
		it("runs its function once, with its arguments", function()
			assert.equal("a nil b 3", answer("local got timer.after(0, function(...) got = got and 'twice' or "
				.. "table.concat({ tostring((...)), tostring((select(2, ...))), tostring((select(3, ...))), select('#', ...) }, ' ') end, 'a', nil, 'b') "
				.. "while not got do timer.sleep(0.001) end timer.sleep(0.01) return got"))
		end)

		it("runs after that time, the shorter first", function()
			assert.equal("123", answer("local s = '' for i = 3, 1, -1 do timer.after(i / 200, function() s = s .. i end) end "
				.. "while #s < 3 do timer.sleep(0.001) end return s"))
		end)

		it("runs while the handler goes on, and after it", function()
			post("timer.after(0.005, log.info, 'after its handler')")
			gateway:wait_log('"msg":"after its handler","generation":1}')
		end)

		it("runs in a task that may wait", function()
			post("timer.after(0, function() timer.sleep(0.001) log.info('a timer that slept') end)")
			gateway:wait_log("a timer that slept")
		end)

		it("can be made while files load", function()
			gateway:wait_log("made while loading")
		end)

		it("logs what its function raises", function()
			post("timer.after(0, function() error('of a timer') end)")
			gateway:wait_log('"level":"error","msg":"timer: run:1: of a timer\\nstack traceback:')
			post("timer.after(0, function() timer.sleep(0) error({}) end)")
			gateway:wait_log('"msg":"timer: %(the error is a table, not a message%)')
		end)

		it("is kept by nobody but the gateway", function()
			assert.equal("run", answer("local got timer.after(0.005, function() got = 'run' end) collectgarbage() "
				.. "while not got do timer.sleep(0.001) collectgarbage() end return got"))
		end)
	end)

	describe("every", function()
		it("runs its function again and again, with its arguments", function()
			assert.equal("10", answer("local n = 0 local t t = timer.every(0.001, function(step) n = n + step if n == 10 then t:cancel() end end, 2) "
				.. "while n < 10 do timer.sleep(0.001) end timer.sleep(0.01) return tostring(n)"))
		end)

		it("leaves out runs that are due while the last goes on", function()
			assert.equal("1", answer("local n, most = 0, 0 local t = timer.every(0.001, function() n = n + 1 most = math.max(n, most) "
				.. "timer.sleep(0.01) n = n - 1 end) timer.sleep(0.03) t:cancel() return tostring(most)"))
		end)

		it("survives an error of its function, which is logged", function()
			assert.equal("3", answer("local n = 0 local t t = timer.every(0.001, function() n = n + 1 if n == 3 then t:cancel() end error('beat ' .. n) end) "
				.. "while n < 3 do timer.sleep(0.001) end return tostring(n)"))
			for n = 1, 3 do
				gateway:wait_log(("timer: run:1: beat %d"):format(n))
			end
		end)

		it("survives an error behind a wait", function()
			assert.equal("2", answer("local n = 0 local t t = timer.every(0.001, function() n = n + 1 timer.sleep(0) if n == 2 then t:cancel() end error('x') end) "
				.. "while n < 2 do timer.sleep(0.001) end return tostring(n)"))
		end)
	end)

	describe("cancel", function()
		it("keeps a timer from running, and tells whether it did", function()
			assert.equal("true false nil", answer("local got local t = timer.after(0.002, function() got = 'run' end) "
				.. "local first, second = t:cancel(), t:cancel() timer.sleep(0.01) return table.concat({ tostring(first), tostring(second), tostring(got) }, ' ')"))
		end)

		it("tells when it was over already", function()
			assert.equal("false", answer("local got local t = timer.after(0, function() got = true end) "
				.. "while not got do timer.sleep(0.001) end return tostring(t:cancel())"))
		end)

		it("inside its own run says that after is over and every is not", function()
			assert.equal("false true", answer("local a, b local t, u t = timer.after(0, function() a = t:cancel() end) "
				.. "u = timer.every(0.001, function() b = u:cancel() end) while b == nil do timer.sleep(0.001) end return tostring(a) .. ' ' .. tostring(b)"))
		end)

		it("lets a run that goes on end", function()
			assert.equal("ended", answer("local s local t = timer.every(0.001, function() s = 'began' timer.sleep(0.005) s = 'ended' end) "
				.. "while not s do timer.sleep(0.001) end t:cancel() while s == 'began' do timer.sleep(0.001) end return s"))
		end)
	end)

	describe("raises at the line of its caller", function()
		local cases = {
			{ "timer.sleep(-1)", "out of range" },
			{ "timer.sleep(1e10)", "out of range" },
			{ "timer.sleep(0/0)", "out of range" },
			{ "timer.sleep(math.huge)", "out of range" },
			{ "timer.sleep('soon')", "number expected, got string" },
			{ "timer.sleep()", "number expected, got no value" },
			{ "timer.after(1)", "function expected, got no value" },
			{ "timer.after(1, 'f')", "function expected, got string" },
			{ "timer.after(-1, print)", "out of range" },
			{ "timer.every(0, print)", "under a millisecond" },
			{ "timer.every(0.0001, print)", "under a millisecond" },
			{ "timer.every(1, {})", "function expected, got table" },
			{ "timer.after(1000, print).cancel({})", "tidegate.timer expected, got table" },
		}
		for _, case in ipairs(cases) do
			local code, message = table.unpack(case)
			it("for " .. code, function()
				local body = answer(("local _, m = pcall(function()\n%s\nend) return m"):format(code))
				assert.equal("run:2: ", body:sub(1, 7))
				assert.is_truthy(body:find(message, 1, true), body)
			end)
		end
	end)

	it("ends with its generation", function()
		local other = server.start({ files = { ["handlers/a.lua"] = [[
			local timer, log = require("tidegate.timer"), require("tidegate.log")
			timer.every(0.001, function() log.info("beat") end)
			return function() end]] } })
		other:wait_log("beat")
		other:replace({ ["handlers/a.lua"] = "return function() end" })
		local after = other:log():match('"msg":"[^"]*generation 2[^\n]*\n(.*)$') or ""
		assert.is_true(select(2, after:gsub('"msg":"beat"', "")) <= 2)
		other:stop()
	end)

	it("refuses new ones for a generation that was replaced", function()
		local other = server.start({ files = { ["handlers/a.lua"] = [[
			local timer, log = require("tidegate.timer"), require("tidegate.log")
			local go = require("tidegate.shared").open("go")
			return function()
				log.info("waits for go")
				while not go:get("on") do timer.sleep(0.001) end
				local t, message = timer.after(0, print)
				return tostring(t) .. " " .. message
			end]], ["handlers/go.lua"] = "return function() require('tidegate.shared').open('go'):set('on', true) end" } })
		local client = other:connect():ask("GET", "/a")
		other:wait_log("waits for go")
		other:replace({ ["handlers/b.lua"] = "return function() end" })
		other:get("/go")
		assert.equal("nil this generation has been replaced", client:response().body)
		client:close()
		other:stop()
	end)
end)
