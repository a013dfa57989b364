-- A handler that takes too much memory ends; the gateway and others go on.

local around = require("tests.support.around")
local program = require("tests.support.program")

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
