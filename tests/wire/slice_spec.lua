-- Tasks that compute give way to others, and nobody can tell from the results.

local socket = require("socket")

local crowd = require("tests.support.crowd")
local program = require("tests.support.program")
local server = require("tests.support.server")

-- name, a body that takes long enough to be sliced, and returns a text
local corpus = {
	{ "arithmetic", "local a, b = 0, 1 for i = 1, n do a, b = b, (a + b * i) % 1000003 end return a .. ',' .. b" },
	{ "integers that overflow", "local x = 1 for i = 1, n do x = x * 6364136223846793005 + i end return tostring(x)" },
	{ "floats", "local x = 0.5 for i = 1, n do x = 3.9 * x * (1 - x) end return ('%.17g'):format(x)" },
	{ "a while loop with breaks", "local i, s = 0, 0 while true do i = i + 1 if i > n then break end if i % 3 == 0 then goto next end s = s + i "
		.. "::next:: end return tostring(s)" },
	{ "a repeat loop", "local i, s = 0, 0 repeat local k = i * 2 i = i + 1 s = s + k until k >= 2 * n return tostring(s)" },
	{ "functions", "local function f(a, b) return b, a + 1 end local a, b = 0, 0 for _ = 1, n do a, b = f(a, b) end return a .. ',' .. b" },
	{ "recursion", "local function fib(k) if k < 2 then return k end return fib(k - 1) + fib(k - 2) end return tostring(fib(n > 1e6 and 31 or 26))" },
	{ "tail calls", "local function down(k, s) if k == 0 then return s end return down(k - 1, s + k) end return tostring(down(n, 0))" },
	{ "varargs", "local function sum(...) local s = 0 for i = 1, select('#', ...) do s = s + (select(i, ...)) end return s, ... end local s = 0 for "
		.. "i = 1, n // 10 do s = s + (sum(i, 2, 3)) end return tostring(s)" },
	{ "closures", "local function counter() local c = 0 return function() c = c + 1 return c end end local f, g = counter(), counter() for i = 1, n "
		.. "do f() if i % 2 == 0 then g() end end return f() .. ',' .. g()" },
	{ "tables", "local t = {} for i = 1, n // 10 do t[#t + 1] = i t['k' .. i % 100] = i end local s = 0 for i, v in ipairs(t) do s = s + i * v % 7 "
		.. "end return s .. ',' .. t.k7" },
	{ "pairs", "local t, s = {}, 0 for i = 1, 1000 do t[i], t['k' .. i] = i, -i end for _ = 1, n // 1000 do for _, v in pairs(t) do s = s + v * v "
		.. "end end return tostring(s)" },
	{ "metamethods", "local mt = {} mt.__add = function(a, b) return setmetatable({ v = a.v + b.v }, mt) end mt.__lt = function(a, b) return a.v < "
		.. "b.v end mt.__index = function(_, k) return #k end "
		.. "local x, one = setmetatable({ v = 0 }, mt), setmetatable({ v = 1 }, mt) for _ = 1, n // 10 do x = x + one if x < one then error('no') end "
		.. "x.v = x.v + x.abc - 3 end return tostring(x.v)" },
	{ "strings", "local s, n2 = '', 0 for i = 1, n // 20 do s = (s .. string.char(65 + i % 26)):sub(-50) n2 = n2 + #s:rep(2) + s:byte(-1) end return s .. n2" },
	{ "gsub with a function", "local s, count = ('abc'):rep(100), 0 for _ = 1, n // 2000 do s = s:gsub('%a', function(c) count = count + 1 return c "
		.. "== 'a' and 'b' or c == 'b' and 'c' or 'a' end) end return s:sub(1, 3) .. count" },
	{ "sort with a comparison", "local out = '' for r = 1, math.max(1, n // 200000) do local t = {} for i = 1, 5000 do t[i] = i * 7919 % 5003 end "
		.. "table.sort(t, function(a, b) return a > b end) out = t[1] .. t[2500] .. t[5000] end return out" },
	{ "pcall and error", "local s = 0 for i = 1, n // 10 do local ok, m = pcall(function(k) if k % 2 == 0 then error(k, 0) end return 1 end, i) s = "
		.. "s + m + (ok and 1 or 0) end return tostring(s)" },
	{ "xpcall with a handler", "local s = 0 for i = 1, n // 20 do local _, m = xpcall(function() local x = nil return x.y end, function(m) return #m "
		.. "end) s = s + m end return tostring(s)" },
	{ "a long pcall", "local ok, v = pcall(function() local s = 0 for i = 1, n do s = s + i end error({ s }) end) return tostring(ok) .. v[1]" },
	{ "coroutines", "local co = coroutine.wrap(function() for i = 1, n // 10 do coroutine.yield(i) end return 'end' end) local s = 0 for i = 1, n // "
		.. "10 do s = s + co() end return s .. co()" },
	{ "a long coroutine", "return coroutine.wrap(function() local s = 0 for i = 1, n do s = s + i % 3 end return tostring(s) end)()" },
	{ "coroutines in coroutines", "local function gen(d) return coroutine.wrap(function() if d == 0 then for i = 1, 200 do coroutine.yield(i) end "
		.. "return end for v in gen(d - 1) do coroutine.yield(v + 1) end end) end "
		.. "local s = 0 for _ = 1, n // 20000 do for v in gen(5) do s = s + v end end return tostring(s)" },
	{ "yields in the middle of expressions", "local function id(...) return ... end local s = 0 for i = 1, n // 4 do s = s + id(i) * id(2) - (id(i) "
		.. "+ id(i)) end return tostring(s)" },
	{ "to-be-closed variables", "local s = 0 local mt = { __close = function(v) s = s + v[1] end } for i = 1, n // 20 do local a <close> = "
		.. "setmetatable({ i }, mt) local b <close> = setmetatable({ 1 }, mt) end return tostring(s)" },
	{ "a closed variable whose close is long", "local s = 0 do local _ <close> = setmetatable({}, { __close = function() for i = 1, n do s = s + i "
		.. "end end }) end return tostring(s)" },
	{ "iterators", "local function range(m) return function(_, i) if i < m then return i + 1 end end, nil, 0 end local s = 0 for i in range(n // 2) "
		.. "do s = s + i end return tostring(s)" },
	{ "load", "local s = 0 for i = 1, n // 1000 do s = s + load('local a = ... return a * 2')(i) end return tostring(s)" },
	{ "goto", "local i = 0 ::again:: i = i + 1 if i < n then goto again end return tostring(i)" },
	{ "nested loops with upvalues", "local fs, s = {}, 0 for i = 1, 10 do fs[i] = function() i = i + 1 return i end end for _ = 1, n // 20 do for j "
		.. "= 1, 10 do s = s + fs[j]() % 5 end end return tostring(s)" },
	{ "string formats and numbers", "local s = 0 for i = 1, n // 20 do s = s + tonumber(('%d'):format(i)) + math.tointeger(i / 1) end return tostring(s)" },
	{ "the collector at work", "local keep = {} for i = 1, n // 10 do keep[i % 100] = { i, tostring(i), { i } } if i % 5000 == 0 then "
		.. "collectgarbage('step') end end return keep[7][2]" },
	{ "finalizers", "local count = 0 for i = 1, n // 50 do setmetatable({}, { __gc = function() count = count + 1 end }) end collectgarbage() "
		.. "collectgarbage() return tostring(count)" },
	{ "multiple assignment", "local t, i = { 1, 2, 3 }, 1 for _ = 1, n // 3 do t[1], t[2], t[3], i = t[2], t[3], t[1], i % 3 + 1 end return "
		.. "table.concat(t) .. i" },
	{ "lpeg", "local lpeg = require('lpeg') local word = lpeg.C(lpeg.R('az') ^ 1) local p = lpeg.Ct((word * lpeg.P(' ') ^ 0) ^ 0) local s = 0 for _ "
		.. "= 1, n // 5000 do s = s + #p:match(('ab cd '):rep(50)) end return tostring(s)" },
	{ "json", "local json = require('tidegate.json') local s = 0 for i = 1, n // 500 do s = s + #json.encode(json.decode(json.encode({ a = { i, 2, 3 "
		.. "}, b = 'x' })).a) end return tostring(s)" },
	{ "waits between", "local timer, s = require('tidegate.timer'), 0 for i = 1, 5 do for j = 1, n // 5 do s = s + j end timer.sleep(0) end return "
		.. "tostring(s)" },
	{ "tasks", "local task = require('tidegate.task') local function f() local s = 0 for i = 1, n // 4 do s = s + i end return s end local r = "
		.. "task.all{ f, f, f, f } return r[1] + r[2] + r[3] + r[4] .. ''" },
}

local size = program.measures_memory and 2000000 or 500000 -- a sanitizer's program is slower

local files = { ["handlers/quick.lua"] = "return function() return 'quick' end" }
for i, case in ipairs(corpus) do
	-- each statement on a line of its own: more places to give way
	local body = case[2]:gsub(" (%f[%w](local|for|if|while|return|end|do)%f[%W])", "\n%1")
	files[("handlers/corpus/%d.lua"):format(i)] = ("return { limits = { time = 300, memory = 2^30 }, GET = function()\nlocal n = %d\n%s\nend "
		.. "}"):format(size, body)
end

files["handlers/compute.lua"] = ([[
return { limits = { time = 300 }, GET = function()
	local s = 0
	for i = 1, %d do
		s = s + i %% 7
	end
	return "computed"
end }]]):format(size * 10)

files["handlers/add.lua"] = [[
local timer = require("tidegate.timer")
local hits, done = 0, 0
return { limits = { time = 300 }, GET = function()
	for _ = 1, ]] .. size .. [[ do hits = hits + 1 end
	done = done + 1
	while done < 5 do timer.sleep(0.001) end
	return tostring(hits)
end }]]

local function results(slice)
	local gateway = server.start({ files = files, flags = { "--time-slice", slice } })
	local streams, list = {}, {}
	for i = 1, #corpus do -- in groups, so that they give way to each other
		streams[i] = gateway:connect()
		streams[i]:ask("GET", "/corpus/" .. i)
		if i % 6 == 0 or i == #corpus then
			for j = i - (i - 1) % 6, i do
				local response = streams[j]:response()
				list[j] = response.status .. " " .. response.body
				streams[j]:close()
			end
		end
	end
	gateway:stop()
	return list
end

describe("time_slice #threads", function()
	it("changes no result", function()
		local whole, sliced = results("0"), results("0.001")
		for i, case in ipairs(corpus) do
			assert.matches("^200 ", whole[i], case[1])
			assert.equal(whole[i], sliced[i], case[1])
		end
	end)

	it("does not come within a line", function()
		local gateway = server.start({ files = files, flags = { "--time-slice", "0.001" } })
		local streams = {}
		for i = 1, 5 do
			streams[i] = gateway:connect()
			streams[i]:ask("GET", "/add")
		end
		for i = 1, 5 do
			assert.equal(tostring(5 * size), streams[i]:response().body)
			streams[i]:close()
		end
		gateway:stop()
	end)
end)

describe("a handler that computes", function()
	-- Timings never decide: that a short request is answered while a long one
	-- goes on, does.
	it("lets others be served on its thread", function()
		local gateway = server.start({ files = files })
		local slow = gateway:connect()
		slow:ask("GET", "/compute")
		local quick = gateway:connect()
		local count = 0
		repeat
			assert.equal("quick", quick:fetch("GET", "/quick").body)
			count = count + 1
		until count == 5 or socket.select({ slow.stream }, nil, 0)[1]
		assert.is_true(count >= 2)
		assert.equal(200, slow:response().status)
		slow:close()
		quick:close()
		gateway:stop()
	end)

	it("twenty at once are all answered, with a crowd beside them", function()
		local gateway = server.start({ files = files })
		local slow, waits = {}, {}
		for i = 1, 20 do
			slow[i] = gateway:connect()
			slow[i]:ask("GET", "/compute")
		end
		local others = crowd.new({
			port = gateway.port, target = "/quick", kept = 2, single = 0,
			asked = socket.gettime,
			answered = function(status, body, asked)
				assert.equal("200 quick", status .. " " .. body)
				waits[#waits + 1] = socket.gettime() - asked
			end,
		})
		others:run(2)
		others:stop()
		for i = 1, 20 do
			assert.equal("computed", slow[i]:response().body)
			slow[i]:close()
		end
		table.sort(waits)
		print(("# beside 20 handlers that compute: %d answers, p99 %.1f ms"):format(#waits, waits[math.ceil(#waits * 0.99)] * 1000))
		gateway:stop()
	end)
end)
