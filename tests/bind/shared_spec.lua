local json = require("tidegate.json")
local shared = require("tidegate.shared")

local deadline = 20 -- seconds

-- Asks again until `gone` says so.
local function wait_until(gone)
	local stop = os.time() + deadline
	while not gone() do
		assert(os.time() < stop, "it is still there")
	end
end

-- The line in this file that `fn` raises at, and what it says.
local function raised_by(fn)
	local ok, message = pcall(fn)
	assert.is_false(ok)
	local line, text = message:match("shared_spec%.lua:(%d+): (.*)")
	assert.is_truthy(line, message)
	assert.equal(debug.getinfo(fn, "S").linedefined, tonumber(line))
	return text
end

describe("tidegate.shared", function()
	local dict

	before_each(function()
		dict = shared.open("spec")
		dict:flush()
	end)

	describe("open", function()
		it("finds the same dict under the same name", function()
			shared.open("spec"):set("key", "value")
			assert.equal("value", dict:get("key"))
			assert.is_true(dict == shared.open("spec"))
			assert.is_true(dict ~= shared.open("spec2"))
			assert.is_nil(shared.open("spec2"):get("key"))
		end)

		it("keeps what is in a dict nobody holds", function()
			shared.open("kept"):set("key", "value")
			collectgarbage()
			collectgarbage()
			assert.equal("value", shared.open("kept"):get("key"))
			shared.open("kept"):flush()
		end)

		it("takes any string without zero bytes as a name", function()
			assert.equal(0, shared.open(""):size())
			assert.equal(0, shared.open("a b/ü"):size())
			assert.equal(
				"bad argument #1 to 'open' (a name has no zero bytes)",
				raised_by(function() shared.open("a\0b") end)
			)
			assert.equal(
				"bad argument #1 to 'open' (string expected, got nil)",
				raised_by(function() shared.open(nil) end)
			)
		end)
	end)

	describe("get and set", function()
		local values = {
			true,
			false,
			0,
			-1,
			math.maxinteger,
			math.mininteger,
			0.5,
			1.0,
			2.0 ^ 63,
			math.huge,
			"",
			"text",
			"\0a\0",
			("x"):rep(1023),
			("x"):rep(1024),
			("x"):rep(1025),
			("x"):rep(5000000),
			json.null,
			{},
			{ 1, 2.5, "three", false, json.null, { { 4 } } },
			{ a = { b = { c = 1 } }, [1.5] = true, [false] = "no", [-1] = {} },
			{ ("x"):rep(2000000), { ("y"):rep(2000) } },
		}
		for i, value in ipairs(values) do
			local text = ("%q"):format(tostring(value):sub(1, 30))
			it(("keep value %d, a %s: %s"):format(i, type(value), text), function()
				dict:set("key", value)
				local copy = dict:get("key")
				assert.same(value, copy)
				assert.equal(math.type(value), math.type(copy))
			end)
		end

		it("keep nan", function()
			dict:set("key", 0 / 0)
			local copy = dict:get("key")
			assert.is_true(copy ~= copy)
		end)

		it("return true for a set, and nil where there is no value", function()
			assert.is_true(dict:set("key", 1))
			assert.is_true(dict:set("key", nil))
			assert.equal(1, select("#", dict:get("no")))
			assert.is_nil(dict:get("no"))
		end)

		it("copy tables, so that a change is not shared", function()
			local list = { { 1 } }
			dict:set("key", list)
			list[1][1] = 2
			local copy = dict:get("key")
			assert.same({ { 1 } }, copy)
			copy[1][1] = 3
			assert.same({ { 1 } }, dict:get("key"))
		end)

		it("keep the mark of a JSON array, and no other metatable", function()
			dict:set("key", { list = json.array({}), map = setmetatable({}, { __index = error }) })
			local copy = dict:get("key")
			assert.equal("[]", json.encode(copy.list))
			assert.equal("{}", json.encode(copy.map))
			assert.is_nil(getmetatable(copy.map))
		end)

		it("delete with nil", function()
			dict:set("key", 1)
			dict:set("key", nil)
			assert.is_nil(dict:get("key"))
			assert.equal(0, dict:size())
		end)

		it("take any string as a key", function()
			local keys = { "", "\0", "\0\0", "a", "a\0", "a\0b", "\xff", ("k"):rep(100000) }
			for i, key in ipairs(keys) do
				dict:set(key, i)
			end
			assert.equal(#keys, dict:size())
			for i, key in ipairs(keys) do
				assert.equal(i, dict:get(key))
			end
		end)

		it("take a number as a key, as tostring writes it", function()
			dict:set(7, "integer")
			dict:set(7.0, "float")
			assert.equal("integer", dict:get("7"))
			assert.equal("float", dict:get("7.0"))
			assert.equal("integer", dict:get(7))
		end)

		it("work while tables are collected all the time", function()
			collectgarbage("generational")
			for i = 1, 2000 do
				dict:set(i % 10, { i, { tostring(i) }, name = ("n"):rep(i) })
				local copy = dict:get(i % 10)
				assert(copy[1] == i and copy[2][1] == tostring(i) and #copy.name == i)
			end
			collectgarbage("incremental")
		end)
	end)

	describe("refuses a value and names its path:", function()
		local loop = { list = {} }
		loop.list[3] = loop
		loop.list[1], loop.list[2] = 1, 2
		local deep = {}
		for _ = 1, 100 do
			deep = { deep }
		end
		local cases = {
			{ print, "a function cannot be shared" },
			{ io.stdout, "a userdata cannot be shared" },
			{ coroutine.create(print), "a thread cannot be shared" },
			{ { users = { {}, { call = print } } }, ".users[2].call: a function cannot be shared" },
			{ { ["a b"] = io.stdout }, '["a b"]: a userdata cannot be shared' },
			{ { a = { [{}] = 1 } }, ".a: a table as a key cannot be shared" },
			{ loop, ".list[3]: a table that contains itself cannot be shared" },
			{ deep, ("[1]"):rep(100) .. ": a table nested more than 100 levels deep cannot be shared" },
		}
		for _, case in ipairs(cases) do
			local value, message = case[1], case[2]
			it(message:sub(-60), function()
				assert.equal(message, raised_by(function() dict:set("key", value) end))
				assert.equal(message, raised_by(function() dict:add("key", value) end))
				assert.is_nil(dict:get("key"))
			end)
		end

		it("and goes on working", function()
			pcall(dict.set, dict, "key", { ("x"):rep(3000000), print })
			dict:set("key", { 1 })
			assert.same({ 1 }, dict:get("key"))
		end)
	end)

	describe("add", function()
		it("stores only where there is nothing", function()
			assert.is_true(dict:add("key", "one"))
			assert.same({ nil, "exists", "exists" }, { dict:add("key", "two") })
			assert.equal("one", dict:get("key"))
		end)

		it("counts false as a value", function()
			dict:set("key", false)
			assert.same({ nil, "exists", "exists" }, { dict:add("key", true) })
		end)
	end)

	describe("replace", function()
		it("stores only where there is something", function()
			assert.same({ nil, "not found", "not_found" }, { dict:replace("key", "one") })
			assert.is_nil(dict:get("key"))
			dict:set("key", "one")
			assert.is_true(dict:replace("key", "two"))
			assert.equal("two", dict:get("key"))
		end)
	end)

	describe("incr", function()
		it("counts by one from nought", function()
			assert.equal(1, dict:incr("n"))
			assert.equal(2, dict:incr("n"))
			assert.equal("integer", math.type(dict:get("n")))
		end)

		it("adds any number to the initial one or to what is there", function()
			assert.equal(15, dict:incr("n", 5, 10))
			assert.equal(12, dict:incr("n", -3, 10))
		end)

		it("keeps integers exact and makes a float with a float", function()
			dict:set("n", math.maxinteger - 1)
			assert.equal(math.maxinteger, dict:incr("n"))
			dict:set("n", 1)
			assert.equal("float", math.type(dict:incr("n", 1.0)))
			assert.equal(2.5, dict:incr("n", 0.5))
			assert.equal("float", math.type(dict:incr("n")))
		end)

		it("raises rather than overflow, and changes nothing", function()
			dict:set("n", math.maxinteger)
			assert.equal(
				"cannot add to 'n': the integer would overflow",
				raised_by(function() dict:incr("n") end)
			)
			assert.equal(math.maxinteger, dict:get("n"))
		end)

		it("raises on what is no number, and changes nothing", function()
			for _, value in ipairs({ "5", true, { 1 }, json.null }) do
				dict:set("n", value)
				assert.equal(
					"cannot add to 'n': its value is not a number",
					raised_by(function() dict:incr("n") end)
				)
				assert.same(value, dict:get("n"))
			end
		end)

		it("wants numbers", function()
			assert.equal(
				"bad argument #2 to 'incr' (number expected, got string)",
				raised_by(function() dict:incr("n", "1") end)
			)
			assert.equal(
				"bad argument #3 to 'incr' (number expected, got boolean)",
				raised_by(function() dict:incr("n", 1, true) end)
			)
		end)
	end)

	describe("a time to live", function()
		it("ends the value", function()
			dict:set("a", 1, 0.01)
			dict:add("b", 1, 0.01)
			dict:set("c", 1)
			dict:replace("c", 2, 0.01)
			dict:incr("d", 1, 0, 0.01)
			dict:set("e", 1, 3600)
			dict:set("f", 1, math.huge)
			wait_until(function() return dict:size() == 2 end)
			for _, key in ipairs({ "a", "b", "c", "d" }) do
				assert.is_nil(dict:get(key))
				assert.is_false(dict:delete(key))
			end
			assert.equal(1, dict:get("e"))
			assert.equal(1, dict:get("f"))
		end)

		it("is the first incr's, and the last set's", function()
			dict:incr("n", 1, 0, 0.02)
			dict:incr("n", 1, 0, 3600)
			dict:set("key", 1, 0.01)
			dict:set("key", 1)
			wait_until(function() return not dict:get("n") end)
			assert.equal(1, dict:get("key"))
		end)

		it("is a number above 0", function()
			for _, seconds in ipairs({ 0, -1, 0 / 0 }) do
				assert.equal(
					"bad argument #3 to 'set' (a time to live is more than 0)",
					raised_by(function() dict:set("key", 1, seconds) end)
				)
				assert.equal(
					"bad argument #3 to 'set' (a time to live is more than 0)",
					raised_by(function() dict:set("key", nil, seconds) end)
				)
			end
			assert.equal(
				"bad argument #4 to 'incr' (number expected, got table)",
				raised_by(function() dict:incr("key", 1, 0, {}) end)
			)
		end)
	end)

	it("tells whether a delete found a value", function()
		dict:set("key", false)
		assert.is_true(dict:delete("key"))
		assert.is_false(dict:delete("key"))
	end)

	it("counts its values and forgets them all", function()
		for i = 1, 1000 do
			dict:set(i, i)
		end
		assert.equal(1000, dict:size())
		assert.equal(0, select("#", dict:flush()))
		assert.equal(0, dict:size())
		assert.is_nil(dict:get(1))
	end)

	describe("raises at the caller's line for", function()
		local cases = {
			["a missing key"] = {
				function() dict:get() end,
				"bad argument #1 to 'get' (string expected, got no value)",
			},
			["a key that is a table"] = {
				function() dict:get({}) end,
				"bad argument #1 to 'get' (string expected, got table)",
			},
			["a key that is a boolean"] = {
				function() dict:delete(true) end,
				"bad argument #1 to 'delete' (string expected, got boolean)",
			},
			["a set without a value"] = {
				function() dict:set("key") end,
				"bad argument #2 to 'set' (value expected)",
			},
			["an add of nil"] = {
				function() dict:add("key", nil) end,
				"bad argument #2 to 'add' (value expected)",
			},
		}
		for what, case in pairs(cases) do
			it(what, function()
				assert.equal(case[2], raised_by(case[1]))
			end)
		end

		it("a call without a dict", function()
			assert.equal(
				"bad argument #1 to 'get' (tidegate.dict expected, got string)",
				raised_by(function() dict.get("key") end)
			)
		end)
	end)

	it("hides its metatable", function()
		assert.is_false(getmetatable(dict))
		assert.matches("^tidegate.dict: ", tostring(dict))
	end)
end)
