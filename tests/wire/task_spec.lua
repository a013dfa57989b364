-- Work beside the work: tidegate.task.

local around = require("tests.support.around")
local program = require("tests.support.program")

local run = [[
local log = require("tidegate.log")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

local kept = {}

return { limits = { time = 0.3, memory = 8 * 2^20 }, ANY = nil, POST = function(request, response)
	local code = "local kept, task, timer, log, request, response = ... " .. request:text()
	return assert(load(code, "=run"))(kept, task, timer, log, request, response)
end }
]]

describe("tidegate.task", function()
	local gateway, connection

	around({ files = { ["handlers/run.lua"] = run, ["handlers/top.lua"] = [[
		local task = require("tidegate.task")
		local _, message = pcall(task.spawn, print)
		return function() return message end]] } }, function(...)
		gateway, connection = ...
	end)

	local function post(code)
		return connection:fetch("POST", "/run", { accept = "text/plain" }, code)
	end

	local function answer(code)
		local response = post(code)
		assert.equal(200, response.status, response.body .. gateway:log():sub(-600))
		return response.body
	end

	-- { sentence, code, the answer }
	local cases = {
		{ "spawn runs a function later, with its arguments",
			"local s = '' local h = task.spawn(function(...) s = s .. table.concat({ ... }, ',') end, 1, 2, 3) s = 'first ' h:wait() return s",
			"first 1,2,3" },
		{ "wait gives all that it returned, nil too",
			"local t = table.pack(task.spawn(function() timer.sleep(0.001) return nil, 2, nil end):wait()) return t.n .. tostring(t[2])", "32" },
		{ "wait gives it again, to whoever asks",
			"local h = task.spawn(function() return 'x' end) local o = task.spawn(function() return h:wait() end) return h:wait() .. h:wait() .. o:wait()", "xxx" },
		{ "wait raises what it raised, be it a table",
			"local e = {} local ok, got = pcall(task.spawn(error, e).wait, task.spawn(error, e)) return tostring(got == e)", "true" },
		{ "wait takes a time", "local h = task.spawn(timer.sleep, 5) local r, m, c = h:wait(0.01) return tostring(r) .. m .. c .. h:status()",
			"niltimed outtimeoutrunning" },
		{ "wait of a time that suffices", "return tostring(task.spawn(timer.sleep, 0.001):wait(5))", "true" },
		{ "status tells of each end",
			"local a, b, c = task.spawn(print), task.spawn(error), task.spawn(timer.sleep, 5) c:cancel() pcall(b.wait, b) timer.sleep(0.001) "
			.. "return a:status() .. b:status() .. c:status()", "returnedfailedcancelled" },
		{ "cancel ends it, and runs its to-be-closed variables",
			"local s = '' local h = task.spawn(function() local _ <close> = setmetatable({}, { __close = function() s = s .. 'closed' end }) timer.sleep(5) end) "
			.. "timer.sleep(0) local was = h:cancel() local r, m, c = h:wait() return tostring(was) .. s .. tostring(r) .. m .. c .. tostring(h:cancel())",
			"trueclosednilcancelledcancelledfalse" },
		{ "cancel ends one that has not begun", "local s = 'not' local h = task.spawn(function() s = 'begun' end) h:cancel() h:wait() return s", "not" },
		{ "cancel ends the task that calls it, at its next wait",
			"local h, s h = task.spawn(function() h:cancel() s = 'on' timer.sleep(0) s = 'too far' end) h:wait() return s", "on" },
		{ "cancel ends a parent of the task that calls it",
			"local p p = task.spawn(function() local c = task.spawn(function() p:cancel() timer.sleep(5) end) c:wait() end) return (select(2, "
				.. "p:wait()))", "cancelled" },
		{ "children end with their parent",
			"local s = '' local h = task.spawn(function() task.spawn(function() local _ <close> = setmetatable({}, { __close = function() s = 'closed' end }) "
			.. "timer.sleep(5) end) timer.sleep(0) end) h:wait() return s", "closed" },
		{ "children end when their parent is cancelled, before it does",
			"local s = '' local function tell(w) return setmetatable({}, { __close = function() s = s .. w end }) end "
			.. "local h = task.spawn(function() local _ <close> = tell('p') task.spawn(function() local _ <close> = tell('c') timer.sleep(5) end) timer.sleep(5) end) "
			.. "timer.sleep(0.001) h:cancel() h:wait() return s", "cp" },
		{ "a detached task lives longer than its parent",
			"local h = task.spawn(function() return task.spawn(function() timer.sleep(0.01) return 'late' end):detach() end) local d = h:wait() "
			.. "return d:status() .. d:wait()", "runninglate" },
		{ "a task spawned while another is cancelled ends with it, unless detached",
			"local s, d = '' local h = task.spawn(function() local _ <close> = setmetatable({}, { __close = function() "
			.. "task.spawn(function() s = s .. 'a' end) d = task.spawn(function() s = s .. 'd' end):detach() end }) timer.sleep(5) end) "
			.. "timer.sleep(0) h:cancel() h:wait() d:wait() return s", "d" },
		{ "what cannot wait in a cleanup says so",
			"local m local h = task.spawn(function() local _ <close> = setmetatable({}, { __close = function() m = select(2, pcall(timer.sleep, 0)) end }) "
				.. "timer.sleep(5) end) "
			.. "timer.sleep(0) h:cancel() h:wait() return m", "cannot wait here: the task has been cancelled, or has failed" },
		{ "a wait in a coroutine of a child", "return task.spawn(coroutine.wrap(function() timer.sleep(0.001) return 'co' end)):wait()", "co" },
		{ "waiting inside coroutines, pcall and iterators",
			"local function each(list) return coroutine.wrap(function() for _, h in ipairs(list) do coroutine.yield((select(2, pcall(h.wait, h)))) end end) end "
			.. "local s = '' for v in each({ task.spawn(function() timer.sleep(0.002) return 1 end), task.spawn(function() return 2 end) }) do s = s .. v "
			.. "end return s", "12" },
		{ "waiting for oneself raises",
			"local h h = task.spawn(function() return select(2, pcall(h.wait, h)) end) return h:wait()", "a task cannot wait for itself" },
		{ "tasks in tasks have a most", "local function deep(n) return task.spawn(function() return deep(n + 1) end):wait() end "
			.. "local ok, m = pcall(deep, 1) return m:match('cannot spawn here.*')", "cannot spawn here: tasks in tasks, 100 deep" },

		{ "all gives the first result of each, under its key",
			"local r = task.all{ function() timer.sleep(0.002) return 'a', 1 end, function() return 'b' end, x = function() return 'c' end, y = "
				.. "task.spawn(function() return 'd' end) } "
			.. "return r[1] .. r[2] .. r.x .. r.y", "abcd" },
		{ "all of nothing is nothing", "return next(task.all{}) == nil and 'none'", "none" },
		{ "all raises the first error, and cancels the rest",
			"local slow = task.spawn(timer.sleep, 5) local ok, m = pcall(task.all, { slow, function() timer.sleep(0.001) error('e', 0) end }) slow:wait() "
				.. "return m .. slow:status()", "ecancelled" },
		{ "all runs at once", "local n, most = 0, 0 local function f() n = n + 1 most = math.max(most, n) timer.sleep(0.005) n = n - 1 end task.all{ f, "
			.. "f, f } return tostring(most)", "3" },
		{ "race gives what the first one returns", "return table.concat({ task.race{ function() timer.sleep(5) end, function() return 'q', 'r' end } })", "qr" },
		{ "race raises what the first one raises", "local ok, m = pcall(task.race, { function() timer.sleep(5) end, function() error('e', 0) end }) "
			.. "return m", "e" },
		{ "race cancels the others", "local slow = task.spawn(timer.sleep, 5) task.race{ slow, print } slow:wait() return slow:status()", "cancelled" },
		{ "any gives the first that does not raise",
			"return task.any{ error, function() timer.sleep(0.002) return 'late' end, function() timer.sleep(0.001) error('e') end }", "late" },
		{ "any raises if all do", "local ok, m = pcall(task.any, { a = function() error('x', 0) end, b = function() error('x', 0) end }) return "
			.. "(m:gsub('[ab]', '?'))",
			"?ll t?sks f?iled: ?: x; ?: x" },
		{ "timeout gives what ends in time", "return table.concat({ task.timeout(5, function(...) timer.sleep(0.001) return ... end, 'a', 'b') })", "ab" },
		{ "timeout cancels what does not",
			"local s local r, m, c = task.timeout(0.01, function() local _ <close> = setmetatable({}, { __close = function() s = 'closed' end }) "
				.. "timer.sleep(5) end) timer.sleep(0) "
			.. "return tostring(r) .. m .. c .. s", "niltimed outtimeoutclosed" },
		{ "timeout raises what is raised", "local ok, m = pcall(task.timeout, 5, error, 'e') return m", "e" },
		{ "misuse names what was given", "return select(2, pcall(task.all, 7))", "all() takes a table of functions and tasks, not a number" },

		{ "a semaphore lets so many in",
			"local s, n, most = task.semaphore(2), 0, 0 local function f() local p <close> = s:acquire() n = n + 1 most = math.max(most, n) "
				.. "timer.sleep(0.002) n = n - 1 end "
			.. "task.all{ f, f, f, f, f } return most .. ',' .. s.free .. s.waiting", "2,20" },
		{ "a semaphore is first come, first served",
			"local m, s = task.mutex(), '' local p = m:acquire() local t = {} for i = 1, 4 do t[i] = task.spawn(function() local p <close> = m:acquire() s "
				.. "= s .. i timer.sleep(0) end) end "
			.. "timer.sleep(0.001) p:release() local q <close> = m:acquire() s = s .. 'me' for i = 1, 4 do assert(t[i]:wait() == nil) end return s", "1234me" },
		{ "a semaphore takes a time", "local m = task.mutex() local p = m:acquire() local r, why, c = m:acquire(0.01) return tostring(r) .. why .. c .. "
			.. "m.waiting", "niltimed outtimeout0" },
		{ "a permit is released once", "local m = task.mutex() local p = m:acquire() return tostring(p:release()) .. tostring(p:release()) .. "
			.. "m.free", "truefalse1" },
		{ "a permit that is lost is released", "local m = task.mutex() m:acquire() collectgarbage() collectgarbage() return tostring(m.free)", "1" },
		{ "who is cancelled in line leaves it",
			"local m = task.mutex() local p = m:acquire() local h = task.spawn(function() m:acquire() end) timer.sleep(0) h:cancel() h:wait() local w = "
				.. "m.waiting p:release() return w .. ',' .. m.free", "0,1" },
		{ "who is cancelled with a permit on its way hands it on",
			"local m = task.mutex() local p = m:acquire() local h = task.spawn(function() m:acquire() end) local o = task.spawn(function() m:acquire() "
				.. "return 'o' end) timer.sleep(0) "
			.. "h:cancel() p:release() return o:wait()", "o" },
		{ "a queue keeps the order, and its room",
			"local q, s = task.queue(2), '' local h = task.spawn(function() for i = 1, 6 do q:put(i) s = s .. '+' end q:close() end) timer.sleep(0.001) local n = #q "
			.. "for v in q.get, q do s = s .. v end return n .. s:gsub('%+', '')", "2123456" },
		{ "a queue without a number has any room", "local q = task.queue() for i = 1, 1000 do q:put(i) end return tostring(#q)", "1000" },
		{ "a queue takes times", "local q = task.queue(1) local _, _, c = q:get(0.001) q:put(1) local _, _, d = q:put(2, 0.001) return c .. d .. "
			.. "#q", "timeouttimeout1" },
		{ "a closed queue takes no more, and tells who waits",
			"local q = task.queue(1) local g = task.spawn(function() return select(3, q:get()) end) timer.sleep(0) q:close() return g:wait() .. select(3, "
				.. "q:put(1)) .. select(3, q:get())", "closedclosedclosed" },
		{ "a closed queue wakes who waits for room",
			"local q = task.queue(1) q:put(1) local g = task.spawn(function() return select(3, q:put(2)) end) timer.sleep(0) q:close() return g:wait() .. "
				.. "q:get() .. select(3, q:get())", "closed1closed" },
		{ "a value for one that is cancelled goes to the next",
			"local q = task.queue() local a = task.spawn(function() return q:get() end) local b = task.spawn(function() return q:get() end) timer.sleep(0) "
				.. "a:cancel() q:put('v') return b:wait()", "v" },
		{ "an event wakes all, and those who come later",
			"local e, n = task.event(), 0 local t = {} for i = 1, 3 do t[i] = function() assert(e:wait()) n = n + 1 end end t[4] = function() e:set() end "
				.. "task.all(t) e:wait() return n .. tostring(e:is_set())", "3true" },
		{ "an event may be cleared", "local e = task.event() e:set() e:clear() return tostring(e:is_set()) .. select(3, e:wait(0.001))", "falsetimeout" },
	}
	for _, case in ipairs(cases) do
		it(case[1], function()
			assert.equal(case[3], answer(case[2]))
		end)
	end

	it("cannot spawn while files are loading", function()
		assert.equal("cannot spawn here: not in a handler, timer or on_start", connection:fetch("GET", "/top").body)
	end)

	it("shows both tracebacks of an error that went from task to task", function()
		local before = #gateway:log()
		local response = post("local h = task.spawn(function()\n\tlocal inner = task.spawn(function()\n\t\terror('deep')\n\tend)\n\tinner:wait()\nend)\nh:wait()")
		assert.equal(500, response.status)
		gateway:wait_log("run:3: deep\\nstack traceback.-run:7: .-it came from a task that this one waited for: run:3: deep"
			.. ".-run:5: .-it came from a task that this one waited for: run:3: deep.-run:3: in function", before)
	end)

	it("answers with the status that a child failed with", function()
		assert.equal(418, post("task.all{ function() timer.sleep(0.001) require('tidegate').fail(418, 'teapot') end }").status)
	end)

	it("logs a failure that nobody waits for, with its request", function()
		local before = #gateway:log()
		assert.equal("kept: fine", answer("task.spawn(function() error('unheard of') end) timer.sleep(0.001) return 'kept: fine'"))
		gateway:wait_log('a task that nobody waited for: run:1: unheard of[^\n]*"request":"%x+"', before)
		before = #gateway:log()
		answer("task.spawn(function() error('far away') end):detach() timer.sleep(0.001) return 'fine'")
		gateway:wait_log("a task that nobody waited for: run:1: far away", before)
	end)

	it("does not log a failure that somebody has heard of", function()
		answer("local h = task.spawn(error, 'heard of') pcall(h.wait, h) local g = task.spawn(error, 'heard of') timer.sleep(0.001) pcall(g.wait, g) return 'x'")
		answer("task.spawn(error, 'a later one') timer.sleep(0.001) return 'x'")
		gateway:wait_log("nobody waited for: a later one")
		assert.is_nil(gateway:log():find("nobody waited for: heard of", 1, true))
	end)

	it("ends children that loop, and answers 503 if somebody waits", function()
		local response = post("task.all{ function() while true do end end }")
		assert.equal(503, response.status)
		assert.equal("fine", answer("return 'fine'"))
	end)

	it("counts what children take as their family's", function()
		assert.equal(503, post("local t = {} for i = 1, 20 do task.spawn(function() t[i] = ('x'):rep(2^20) timer.sleep(5) end):wait(0.001) end").status)
		assert.equal(503, post("while true do task.spawn(timer.sleep, 5) end").status)
		assert.equal("fine", answer("collectgarbage() return 'fine'"))
	end)

	it("gives one time to all cleanups of a family", function()
		local before = os.time()
		assert.equal("out", answer("for i = 1, 200 do task.spawn(function() local _ <close> = setmetatable({}, { __close = function() while true do end "
			.. "end }) timer.sleep(5) end) end "
			.. "timer.sleep(0.001) return 'out'"))
		assert.equal("fine", answer("return 'fine'"))
		assert.is_true(os.time() - before < (program.measures_memory and 3 or 30))
	end)

	it("goes on after response:finish()", function()
		assert.equal("sent", answer("kept.n = 0 response:write('sent') response:finish() timer.sleep(0.01) kept.n = 1"))
		program.await("the rest", function() return answer("return tostring(kept.n)") == "1" end)
	end)

	it("logs what fails after the response", function()
		assert.equal("sent", answer("response:write('sent') response:finish() timer.sleep(0.001) error('too late')"))
		gateway:wait_log("after its response: run:1: too late")
	end)

	it("tells a child that waits for content that the exchange is over", function()
		connection:send("POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
		connection:send("x")
		connection:close()
		assert.equal("fine", gateway:fetch("POST", "/run", nil, "return 'fine'").body)
	end)

	describe("request:shield", function()
		local function leave_in_the_middle(code)
			local other = gateway:connect()
			other:ask("POST", "/run", nil, code)
			program.await("it to begin", function() return answer("return tostring(kept.begun)") == "true" end)
			other:close()
		end

		it("finishes what is in it though the client leaves, and then ends the task", function()
			answer("kept.begun, kept.done, kept.beyond, kept.closed = nil return 'x'")
			leave_in_the_middle("local _ <close> = setmetatable({}, { __close = function() kept.closed = true end }) request:shield(function() kept.begun = true "
				.. "for i = 1, 60 do timer.sleep(0.05) end kept.done = true end) timer.sleep(0) kept.beyond = true")
			program.await("the end", function() return answer("return tostring(kept.closed)") == "true" end)
			assert.equal("truenil", answer("return tostring(kept.done) .. tostring(kept.beyond)"))
		end)

		it("gives what the function returns or raises", function()
			assert.equal("ab", answer("return table.concat({ request:shield(function(...) timer.sleep(0.001) return ... end, 'a', 'b') })"))
			assert.equal("e", answer("return select(2, pcall(request.shield, request, function() timer.sleep(0.001) error('e', 0) end))"))
		end)

		it("tells who waits for the client that the exchange is over", function()
			answer("kept.begun, kept.why = nil return 'x'")
			leave_in_the_middle("request:shield(function() kept.begun = true local big = ('x'):rep(2^20) "
				.. "kept.why = select(2, pcall(function() while true do response:write(big) end end)) end)")
			program.await("the end", function() return answer("return tostring(kept.why)") ~= "nil" end)
			assert.matches("the exchange is over$", answer("return kept.why"))
		end)

		it("does not hold for a task that is not the request's", function()
			assert.equal("this request is another task's", answer("return task.spawn(function() return select(2, pcall(request.shield, request, print)) "
				.. "end):detach():wait()"))
		end)
	end)
end)
