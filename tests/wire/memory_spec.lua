-- A handler that takes too much memory ends; the gateway and others go on.

local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")

local hungry = {
	{ "a string of 2 GB", "return ('x'):rep(2000000000)" },
	{ "a table that grows for ever", "local t = {}\nfor i = 1, math.huge do t[i] = i end" },
	{ "a million strings", "local t = {}\nfor i = 1, 1e7 do t[i] = 'string number ' .. i end" },
	{ "tables in tables", "local t = {}\nwhile true do t = { t, {}, {}, {} } end" },
	{ "a string that doubles", "local s = 'x'\nwhile true do s = s .. s end" },
	{ "closures", "local t = {}\nwhile true do local n = #t + 1 t[n] = function() return n end end" },
	{ "coroutines", "local t = {}\nwhile true do t[#t + 1] = coroutine.create(function() end) end" },
	{ "what pcall caught", "local t = {}\nwhile true do\n\tassert(pcall(function() t[#t + 1] = ('x'):rep(1e6) .. #t end))\nend" },
}

local files = {
	["handlers/quick.lua"] = "return function() return 'quick' end",
	["handlers/garbage.lua"] = [[
return { limits = { memory = 8 * 2^20, time = 10 }, GET = function()
	local last
	for i = 1, 2000 do last = ("x"):rep(100000) .. i end -- 200 MB, but none is kept
	return last:sub(-4)
end }]],
	["handlers/step.lua"] = [[
local timer = require("tidegate.timer")
return { limits = { memory = 4 * 2^20 }, GET = function()
	local t = {}
	for i = 1, 100 do -- no step takes much
		t[i] = ("x"):rep(100000) .. i
		timer.sleep(0)
	end
	return "all"
end }]],
	["handlers/roomy.lua"] = [[
return { limits = { memory = math.huge, time = 60 }, GET = function() return tostring(#("x"):rep(200 * 2^20)) end }]],
}

for i, case in ipairs(hungry) do
	files[("handlers/hungry/%d.lua"):format(i)] = ("return { limits = { time = 20 }, GET = function()\n%s\nend }"):format(case[2])
end

describe("limits.memory ends", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	for i, case in ipairs(hungry) do
		it(case[1], function()
			local before = #gateway:log()
			local response = connection:fetch("GET", "/hungry/" .. i)
			assert.equal(503, response.status)
			assert.matches('"detail":"the handler took too much memory"', response.body, 1, true)
			gateway:wait_log("not enough memory", before)
			assert.equal("quick", connection:fetch("GET", "/quick").body)
		end)
	end

	it("what grows from wait to wait", function()
		assert.equal(503, connection:fetch("GET", "/step").status)
	end)
end)

describe("limits.memory", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	it("does not count what is garbage", function()
		assert.equal("2000", connection:fetch("GET", "/garbage").body)
	end)

	it("may be lifted by a route, up to that of the state", function()
		assert.equal(tostring(200 * 2 ^ 20 // 1 | 0), connection:fetch("GET", "/roomy").body)
	end)

	it("gives back what was taken", function()
		connection:fetch("GET", "/hungry/2")
		local before = gateway:resident()
		for _ = 1, 10 do
			assert.equal(503, connection:fetch("GET", "/hungry/2").status)
		end
		assert.is_true(not program.measures_memory or gateway:resident() < before + 64 * 2 ^ 20)
	end)
end)

-- Everything that takes memory between two points of a task, with every budget:
-- wherever it is refused, only the task may end.
local everything = [[
local timer = require("tidegate.timer")
local json = require("tidegate.json")

local function step(request, n)
	local made = coroutine.wrap(function()
		local _ <close> = setmetatable({}, { __close = function() return { n } end })
		coroutine.yield(json.encode({ n, { n } }))
		timer.sleep(0)
		return ("x"):rep(n % 1000) .. n
	end)
	local first = made()
	pcall(error, { first })
	xpcall(function() error("in " .. n) end, function(message) error(message .. "again") end)
	setmetatable({}, { __gc = function() return { {} } end })
	timer.after(0, function() return { n } end)
	return first .. made() .. (request.headers["x-none"] or "") .. request.query.limit
end
]]

describe("memory that is refused", function()
	it("at any point of a task ends that task only", function()
		local sweep = {}
		for i = 1, 100 do -- from nothing to more than enough, in small steps
			sweep[("handlers/sweep/%d.lua"):format(i)] = everything ..
				("return { limits = { memory = %d }, GET = function(r)\nlocal s\nfor n = 1, 20 do s = step(r, n) end\nreturn s\nend }")
				:format(i * i * 8)
		end
		sweep["handlers/quick.lua"] = files["handlers/quick.lua"]
		local gateway = server.start({ files = sweep, flags = { "--log-level", "info" } })
		local statuses = {}
		for _ = 1, 3 do
			for i = 1, 100 do
				local status = gateway:get(("/sweep/%d?limit=1"):format(i)).status
				statuses[status] = (statuses[status] or 0) + 1
			end
		end
		assert.is_truthy(statuses[503])
		assert.is_truthy(statuses[200])
		assert.equal(300, statuses[503] + statuses[200] + (statuses[500] or 0))
		assert.equal("quick", gateway:get("/quick").body)
		gateway:stop()
	end)

	it("while a file is loaded refuses the reload, and names the file", function()
		local gateway = server.start({ files = { ["handlers/quick.lua"] = files["handlers/quick.lua"] },
			flags = { "--state-limit", tostring(32 * 2 ^ 20 | 0) } })
		gateway.project:write("handlers/greedy.lua", "local t = {}\nwhile true do t = { t } end")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("handlers/greedy.lua: not enough memory", errors, 1, true)
		assert.equal("quick", gateway:get("/quick").body)
		gateway:stop()
	end)
end)

describe("to-be-closed variables", function()
	it("may not take all memory in their turn", function()
		local gateway = server.start({ files = { ["handlers/quick.lua"] = files["handlers/quick.lua"], ["handlers/greedy.lua"] = [[
return { limits = { memory = 16 * 2^20, time = 5 }, GET = function()
	local _ <close> = setmetatable({}, { __close = function()
		local t = {}
		while true do t = { t } end
	end })
	error("on purpose")
end }]] } })
		local response = gateway:get("/greedy")
		assert.is_true(response.status >= 500)
		assert.equal("quick", gateway:get("/quick").body)
		assert.is_true(not program.measures_memory or gateway:resident() < 96 * 2 ^ 20)
		gateway:stop()
	end)
end)

describe("state_limit", function()
	local gateway, connection
	around({
		files = {
			["handlers/quick.lua"] = "return function() return 'quick' end",
			["handlers/keep.lua"] = "local kept = {}\nreturn function()\n" ..
				"kept[#kept + 1] = ('x'):rep(2^20) .. #kept\nreturn 'kept'\nend",
		},
		flags = { "--state-limit", tostring(32 * 2 ^ 20 | 0) },
	}, function(g, c)
		gateway, connection = g, c
	end)

	it("refuses more to requests, however many they are", function()
		local refused
		for _ = 1, 64 do
			refused = connection:fetch("GET", "/keep").status == 503
			if refused then break end
		end
		assert.is_true(refused)
		assert.equal("quick", connection:fetch("GET", "/quick").body)
		gateway:reload()
		assert.equal("kept", connection:fetch("GET", "/keep").body)
	end)
end)
