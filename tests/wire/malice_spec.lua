-- What a handler may do to hurt the others, and does not get done.

local around = require("tests.support.around")

local endless = "setmetatable({}, { __close = function() while true do end end })"

-- { what, code, status, a pattern of the log }
local cases = {
	-- code that runs where nobody looks at the clock
	{ "a __tostring that never ends", "error(setmetatable({}, { __tostring = function() while true do end end }))",
		500, "the error cannot be shown: its __tostring failed: [^\n]*time budget exceeded[^\n]*stack traceback" },
	{ "a __tostring that takes all memory", "error(setmetatable({}, { __tostring = function() local t = {} t[1] = ('x'):rep(2^29) end }))",
		500, "its __tostring failed: [^\n]*not enough memory" },
	{ "a __tostring of a child's error that never ends",
		"task.spawn(function() error(setmetatable({}, { __tostring = function() while true do end end })) end):wait()", 500, "cannot be shown" },
	{ "a __tostring that gives no string", "error(setmetatable({}, { __tostring = function() return {} end }))", 500, "'__tostring' must return a string" },
	{ "a failure whose headers never end",
		"local _, e = pcall(fail, 404) e.headers = setmetatable({}, { __pairs = function() while true do end end }) error(e)", 500,
		"cannot answer a failed request: [^\n]*time budget exceeded" },
	{ "a failure whose headers take all memory",
		"local _, e = pcall(fail, 404) e.headers = setmetatable({}, { __pairs = function() return ('x'):rep(2^30) end }) error(e)", 500,
		"cannot answer a failed request: [^\n]*not enough memory" },
	{ "a failed coroutine whose variable never closes", ("coroutine.wrap(function() local x <close> = %s error('x') end)()"):format(endless), 503 },
	{ "coroutine.close of one whose variable never closes",
		("local co = coroutine.create(function() local x <close> = %s coroutine.yield() end) coroutine.resume(co) coroutine.close(co)"):format(endless), 503 },
	{ "a coroutine over its time, in sort, whose variable never closes",
		("table.sort({ 1, 2, 3 }, function() coroutine.wrap(function() local x <close> = %s while true do end end)() end)"):format(endless), 503 },
	{ "a cancelled coroutine whose variable never closes",
		("task.timeout(0.01, function() coroutine.wrap(function() local x <close> = %s timer.sleep(60) end)() end) timer.sleep(0.01) return 'on'"):format(endless),
		200 },
	{ "a variable that never closes, after a time that ended in sort",
		("local x <close> = %s table.sort({ 1, 2, 3 }, function() while true do end end)"):format(endless), 503 },
	{ "the same in a coroutine",
		("coroutine.wrap(function() local x <close> = %s table.sort({ 1, 2, 3 }, function() while true do end end) end)()"):format(endless), 503 },
	{ "the same, closed by hand", ([[local co = coroutine.create(function()
		local x <close> = %s table.sort({ 1, 2, 3 }, function() while true do end end) end)
		local ok = pcall(function() coroutine.resume(co) end)
		coroutine.close(co)]]):format(endless), 503 },

	-- finalizers
	{ "finalizers that never end", "for _ = 1, 1000 do setmetatable({}, { __gc = function() while true do end end }) end collectgarbage() return 'on'", 200,
		"10 finalizers had to be ended: no more are run in this state" },
	{ "finalizers whose errors never end", "for _ = 1, 20 do setmetatable({}, { __gc = function() "
		.. "error(setmetatable({}, { __tostring = function() while true do end end })) end }) end collectgarbage() return 'on'", 200 },
	{ "a finalizer that is put in later",
		"local mt = { __gc = print } setmetatable({}, mt) mt.__gc = function() while true do end end collectgarbage() return 'on'", 200 },
	{ "a finalizer that is put in place of true",
		"local mt = { __gc = true } setmetatable({}, mt) mt.__gc = function() while true do end end collectgarbage() return 'on'", 200 },
	{ "a finalizer of JSON's arrays",
		"getmetatable(json.array{}).__gc = function() while true do end end json.decode('[1]') collectgarbage() return 'on'", 200 },
	{ "finalizers when nobody has time for them",
		"for _ = 1, 100 do setmetatable({}, { __gc = function() while true do end end }) end collectgarbage('stop') local t = {} "
		.. "while true do t[#t + 1] = ('x'):rep(2^20) .. #t end", 503 },

	-- memory that is not Lua's
	{ "buffers that hold too much", "local t, s = {}, ('x'):rep(2^20) while true do t[#t + 1] = buffer.new(s) end", 503, "not enough memory", time = 60 },
	{ "a buffer that holds too much", "local b, s = buffer.new(), ('x'):rep(2^20) while true do b:add(s) end", 503, "not enough memory", time = 60 },
	{ "buffers that nobody holds", "local s = ('x'):rep(2^20) for _ = 1, 300 do buffer.new(s):add(s) end return 'on'", 200, time = 60 },
	{ "a buffer that is filled and emptied", "local b, s = buffer.new(), ('x'):rep(2^20) for _ = 1, 300 do b:add(s) b:drain() end return 'on'", 200, time = 60 },
	{ "buffers that go round", "local a, b, s = buffer.new(('x'):rep(2^20)), buffer.new() for _ = 1, 5000 do a:move(b) a:add(b) end return tostring(#a)", 200,
		time = 60 },
	{ "fields of a response without end", "local s = ('x'):rep(60000) while true do response.headers:add('a', s) end", 500, "makes the fields too large" },
	{ "cookies without end", "local i = 0 while true do i = i + 1 response:cookie('a' .. i, ('x'):rep(3000)) end", 500, "makes the fields too large" },
	{ "JSON that repeats itself", "local t, s = {}, ('x'):rep(2^20) for i = 1, 1e5 do t[i] = s end return t", 503, "not enough memory", time = 60 },

	-- stacks
	{ "closes in closes", [[
		local last
		for _ = 1, 5000 do
			local before = last
			last = coroutine.create(function()
				local _ <close> = setmetatable({}, { __close = function() if before then coroutine.close(before) end end })
				coroutine.yield()
			end)
			coroutine.resume(last)
		end
		return tostring(coroutine.close(last))]], 200 },
	{ "a __call that is itself", "local t = {} setmetatable(t, { __call = t }) getmetatable(t).__call = t t()", 503, "not enough memory" },
	{ "a chain of __index without end", "local t = {} setmetatable(t, { __index = t }) return t.x", 500, "'__index' chain too long" },
	{ "a chain of __index functions", "local t t = setmetatable({}, { __index = function(_, k) return t[k + 1] end }) return t[1]", 500, "stack overflow" },
	{ "coroutines in coroutines", "local function f() return coroutine.wrap(f)() end f()", 500, "C stack overflow" },
	{ "pcall in pcall", "local function f() return pcall(f) end return tostring(f())", 200 },
	{ "error handlers that fail", "return tostring(xpcall(error, function() error('again') end))", 200 },
	{ "gsub in gsub", "local function f() return (('x'):gsub('x', f)) end f()", 500, "C stack overflow" },
	{ "JSON that is deep", "json.decode(('['):rep(1e6))", 204 },
	{ "code that is deep", "return tostring(load(('('):rep(1e6)))", 200 },
	{ "many results, of which three count", "return 201, 'made', {}, table.unpack({}, 1, 1e5)", 201 },
	{ "a string beyond all", "return ('x'):rep(1e10)", 500, "resulting string too large" },
	{ "a string beyond its memory", "return ('x'):rep(2^31 - 1)", 503, "not enough memory" },
	{ "many strings beyond their memory, each caught", "for _ = 1, 100 do pcall(string.rep, 'x', 2^31 - 1) end return 'still here'", 200 },
	{ "a million arguments", "task.spawn(print, table.unpack({}, 1, 1e6 - 10))", 500 },
}

local files = { ["handlers/hello.lua"] = "return function() return 'hello' end" }
for i, case in ipairs(cases) do
	files[("handlers/%d.lua"):format(i)] = ([[
local buffer = require("tidegate.buffer")
local fail, json, task, timer = require("tidegate").fail, require("tidegate.json"), require("tidegate.task"), require("tidegate.timer")
return { limits = { time = %s, memory = %s }, GET = function(request, response)
%s
end }]]):format(case.time or 0.3, case.time and "64 * 2^20" or "2^30", case[2])
end

describe("no harm is done by", function()
	local gateway, connection
	around({ files = files, flags = { "--time-limit", "0.3" } }, function(...)
		gateway, connection = ...
	end)

	for i, case in ipairs(cases) do
		it(case[1], function()
			local before = #gateway:log()
			local response = connection:fetch("GET", "/" .. i)
			assert.equal(case[3], response.status, response.body)
			if case[4] then
				gateway:wait_log(case[4], before)
			end
			assert.equal("hello", connection:fetch("GET", "/hello").body)
		end)
	end
end)
