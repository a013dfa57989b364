local json = require("tidegate.json")

local function quoted(text)
	return (("%q"):format(#text < 60 and text or text:sub(1, 57) .. "..."):gsub("\\\n", "\\n"))
end

local function nested(depth)
	local value = {}
	for _ = 2, depth do
		value = { value }
	end
	return value
end

-- A table whose items all live in its hash part, in no order.
local function unordered(count)
	local items = {}
	for i = count, 1, -1 do
		items[i] = i
	end
	return items
end

describe("json.encode", function()
	describe("writes", function()
		local cases = {
			{ nil, "null" },
			{ json.null, "null" },
			{ true, "true" },
			{ false, "false" },
			-- integers
			{ 0, "0" },
			{ 7, "7" },
			{ 10, "10" },
			{ -99, "-99" },
			{ 100, "100" },
			{ 1234567890123456, "1234567890123456" },
			{ math.maxinteger, "9223372036854775807" },
			{ math.mininteger, "-9223372036854775808" },
			-- floats
			{ 1.0, "1.0" },
			{ -0.0, "-0.0" },
			{ 0.1, "0.1" },
			{ -2.5, "-2.5" },
			{ 19.99, "19.99" },
			{ 0.1 + 0.2, "0.30000000000000004" },
			{ 2 / 3, "0.6666666666666666" },
			{ 100.0, "100.0" },
			{ 123456.789, "123456.789" },
			{ 0.0001, "0.0001" },
			{ 0.00001, "1e-5" },
			{ 1.5e-7, "1.5e-7" },
			{ 1e15, "1000000000000000.0" },
			{ 1e16, "1e16" },
			{ 1.25e20, "1.25e20" },
			{ 1e22, "1e22" },
			{ 1e23, "1e23" },
			{ 2.0 ^ 53, "9007199254740992.0" },
			{ 1.7976931348623157e308, "1.7976931348623157e308" },
			{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
			{ 5e-324, "5e-324" },
			-- strings
			{ "", '""' },
			{ "plain", '"plain"' },
			{ '"\\/\b\f\n\r\t', [["\"\\/\b\f\n\r\t"]] },
			{ "\0\1\v\31\127", '"\\u0000\\u0001\\u000b\\u001f\127"' },
			{ "grüße 日本 😀", '"grüße 日本 😀"' },
			{ ("eight888"):rep(3) .. '"', '"' .. ("eight888"):rep(3) .. '\\""' },
			{ ("\n"):rep(2000), '"' .. ("\\n"):rep(2000) .. '"' },
			-- tables
			{ {}, "{}" },
			{ json.array({}), "[]" },
			{ { 1, "a", false, json.null }, '[1,"a",false,null]' },
			{ { a = 1 }, '{"a":1}' },
			{ { [""] = { { {} } } }, '{"":[[{}]]}' },
			{ { ['k"\n'] = 1 }, [[{"k\"\n":1}]] },
			{ { [1.0] = "x" }, '["x"]' },
			{ json.array({ 1, 2 }), "[1,2]" },
			{ unordered(5), "[1,2,3,4,5]" },
			{ { x = { unordered(3), unordered(2) } }, '{"x":[[1,2,3],[1,2]]}' },
		}
		for i = 1, #cases do
			local value, text = cases[i][1], cases[i][2]
			it(quoted(text), function()
				assert.equal(text, json.encode(value))
			end)
		end
	end)

	describe("refuses", function()
		local cycle = {}
		cycle.again = cycle
		local cases = {
			{ print, "cannot encode the value: a function has no form in JSON" },
			{ io.stdout, "cannot encode the value: a userdata has no form in JSON" },
			{ { users = { {}, {}, { name = print } } },
				"cannot encode .users[3].name: a function has no form in JSON" },
			{ { coroutine.create(print) }, "cannot encode [1]: a thread has no form in JSON" },
			{ 0 / 0, "cannot encode the value: nan has no form in JSON" },
			{ { 1, math.huge }, "cannot encode [2]: infinity has no form in JSON" },
			{ { a = -math.huge }, "cannot encode .a: infinity has no form in JSON" },
			-- tables that are neither
			{ { list = { 1, 2, nil, 4 } }, "cannot encode .list[3]: an array has no gaps" },
			{ { [2] = "b" }, "cannot encode [1]: an array has no gaps" },
			{ { [1] = 1, [3] = 3 }, "cannot encode [2]: an array has no gaps" },
			{ { [math.maxinteger] = 1 }, "cannot encode [1]: an array has no gaps" },
			{ { [0] = 1 }, "cannot encode [0]: an array has indexes from 1 on" },
			{ { 1, [-1] = 1 }, "cannot encode [-1]: an array has indexes from 1 on" },
			{ { list = { 1, 2, name = "x" } }, "cannot encode .list.name: an array has no names" },
			{ json.array({ name = "x" }), "cannot encode .name: an array has no names" },
			{ { a = { [true] = 1 } }, "cannot encode .a: a table with a boolean as a key" },
			{ { [1.5] = 1 }, "cannot encode the value: a table with a number as a key" },
			{ { [json.null] = 1 }, "cannot encode the value: a table with a userdata as a key" },
			-- not UTF-8
			{ { a = "\xff" }, "cannot encode .a: the string is not UTF-8" },
			{ { "ok", "a\xe9b" }, "cannot encode [2]: the string is not UTF-8" },
			{ "\xed\xa0\x80", "cannot encode the value: the string is not UTF-8" },
			{ "\xc0\xaf", "cannot encode the value: the string is not UTF-8" },
			{ "cut off \xe2\x82", "cannot encode the value: the string is not UTF-8" },
			{ { a = { ["\xff"] = 1 } }, 'cannot encode .a["?"]: the key is not UTF-8' },
			-- names that need quotes in a path
			{ { ["a b"] = { ['"\n'] = print } }, 'cannot encode ["a b"]["??"]: a function' },
			{ { [("k"):rep(100)] = print }, "cannot encode ." .. ("k"):rep(60) .. "...: a function" },
			-- depth
			{ cycle, "cannot encode " .. (".again"):rep(10) .. "..." .. (".again"):rep(5)
				.. ": nested deeper than 100 levels" },
			{ nested(101), "cannot encode " .. ("[1]"):rep(10) .. "..." .. ("[1]"):rep(5)
				.. ": nested deeper than 100 levels" },
		}
		for _, case in ipairs(cases) do
			local value, message = table.unpack(case)
			for _, options in ipairs({ {}, { sort = true, indent = 2 } }) do
				it(message .. (options.sort and ", sorted" or ""), function()
					assert.error_matches(function() json.encode(value, options) end, message, 1, true)
				end)
			end
		end

		it("an object that also has an index, in whatever order they come", function()
			for i = 1, 20 do
				local value = { ["key" .. i] = true }
				value[i] = i
				assert.error_matches(function() json.encode({ x = value }) end, "cannot encode %.x")
			end
		end)

		it("at the caller's line", function()
			local _, message = pcall(function() json.encode(print) end)
			assert.matches("json_spec%.lua:%d+: cannot encode the value", message)
		end)
	end)

	it("nests 100 levels", function()
		assert.equal(("["):rep(99) .. "{}" .. ("]"):rep(99), json.encode(nested(100)))
	end)

	it("writes what it refused before", function()
		local value = { 1, 2, { bad = print } }
		assert.is_false(pcall(json.encode, value))
		value[3].bad = "good"
		assert.equal('[1,2,{"bad":"good"}]', json.encode(value))
	end)

	it("runs no metamethod", function()
		local function fail() error("a metamethod ran") end
		local watched = { __index = fail, __len = fail, __pairs = fail, __tostring = fail, __name = "x" }
		assert.equal("[1,2]", json.encode(setmetatable({ 1, 2 }, watched)))
		assert.equal("{}", json.encode(setmetatable({}, watched)))
		assert.equal('{"a":1}', json.encode(setmetatable({ a = 1 }, watched), { sort = true }))
	end)

	it("keeps apart what finalizers encode meanwhile", function()
		local count = 0
		local function drop()
			setmetatable({}, { __gc = function()
				count = count + 1
				json.encode({ ("noise "):rep(50) })
			end })
		end
		local value = { text = ("quiet "):rep(20), list = { 1, 2, 3 } }
		local expected = json.encode(value, { sort = true })
		for _ = 1, 2000 do
			drop()
			assert.equal(expected, json.encode(value, { sort = true }))
		end
		collectgarbage()
		assert.is_true(count > 0)
	end)

	it("writes texts of several megabytes", function()
		local value = { ("x"):rep(3000000), ("\n"):rep(1000000) }
		local text = json.encode(value)
		assert.equal(3000000 + 2000000 + 7, #text)
		assert.same(value, json.decode(text))
		assert.equal("[1]", json.encode({ 1 }))
	end)

	describe("with sort", function()
		it("orders keys by their bytes, at every level", function()
			local value = { b = { z = 1, a = 2 }, a = 1, aa = 3, B = 4, ["é"] = 5, [""] = 6, ["a\0"] = 7 }
			assert.equal('{"":6,"B":4,"a":1,"a\\u0000":7,"aa":3,"b":{"a":2,"z":1},"é":5}',
				json.encode(value, { sort = true }))
		end)

		it("orders keys that begin alike, however many", function()
			for count = 0, 60 do
				local value, keys, parts = {}, {}, {}
				while #keys < count do
					local key = ("harbour"):sub(1, math.random(0, 7)) .. ("\0ab"):rep(math.random(0, 3)):sub(math.random(1, 9))
						.. math.random(1, 99)
					if not value[key] then
						value[key], keys[#keys + 1] = #keys, key
					end
				end
				table.sort(keys)
				for i, key in ipairs(keys) do
					parts[i] = ('"%s":%d'):format(key:gsub("%z", "\\u0000"), value[key])
				end
				assert.equal("{" .. table.concat(parts, ",") .. "}", json.encode(value, { sort = true }))
			end
		end)

		it("orders many keys", function()
			local value, parts = {}, {}
			for i = 1, 5000 do
				value[("k%04d"):format(i)] = { i = i }
				parts[i] = ('"k%04d":{"i":%d}'):format(i, i)
			end
			assert.equal("{" .. table.concat(parts, ",") .. "}", json.encode(value, { sort = true }))
		end)

		it("writes objects beside each other as it writes each alone", function()
			local names = { "id", "name", "open", "depth", "tags", ("long "):rep(20) }
			local function record(level)
				local value = {}
				for _ = 1, math.random(0, 8) do -- a name that goes leaves its place
					local name = names[math.random(#names)]
					value[name] = math.random(3) > 1 and (level < 3 and record(level + 1) or level) or nil
				end
				return value
			end
			for _ = 1, 300 do
				local list, parts = {}, {}
				for i = 1, 10 do
					list[i] = i > 1 and math.random(2) == 1 and list[i - 1] or record(1)
					parts[i] = json.encode(list[i], { sort = true })
				end
				assert.equal("[" .. table.concat(parts, ",") .. "]", json.encode(list, { sort = true }))
			end
		end)
	end)

	describe("with indent", function()
		it("writes a line for each member", function()
			local value = { list = { 1, { a = true } }, none = {}, empty = json.array({}) }
			assert.equal([[
{
  "empty": [],
  "list": [
    1,
    {
      "a": true
    }
  ],
  "none": {}
}]], json.encode(value, { indent = 2, sort = true }))
		end)

		it("writes one line when it is 0", function()
			assert.equal("[1,2]", json.encode({ 1, 2 }, { indent = 0 }))
		end)
	end)

	it("raises on misuse", function()
		assert.error_matches(function() json.encode() end, "value expected")
		assert.error_matches(function() json.encode(1, true) end, "table expected, got boolean")
		assert.error_matches(function() json.encode(1, { ident = 2 }) end, "unknown option 'ident'")
		for _, indent in ipairs({ -1, 17, 2.5, "2", true }) do
			assert.error_matches(function() json.encode(1, { indent = indent }) end,
				"option 'indent' is out of range")
		end
	end)
end)

describe("a list whose items came in any order", function()
	local function shuffled(keys)
		local list = {}
		for i = #keys, 2, -1 do
			local j = math.random(i)
			keys[i], keys[j] = keys[j], keys[i]
		end
		for _, key in ipairs(keys) do
			list[key] = key
		end
		return list, table.concat(keys, " ")
	end

	local function range(count)
		local keys = {}
		for i = 1, count do
			keys[i] = i
		end
		return keys
	end

	it("is written from the first to the last", function()
		for round = 1, 2000 do
			local count = round % 12 + 1
			local list, order = shuffled(range(count))
			assert.equal("[" .. table.concat(range(count), ",") .. "]", json.encode(list), order)
		end
	end)

	it("is refused with a key that is no item, wherever that lies", function()
		for round = 1, 4000 do
			local keys = range(round % 12 + 1)
			keys[#keys + 1] = round % 2 == 0 and #keys + 1 + math.random(9) or -round
			local list, order = shuffled(keys)
			assert.is_false(pcall(json.encode, json.array(list)), order)
		end
	end)

	it("is refused with names, wherever they lie", function()
		for round = 1, 4000 do
			local list, order = shuffled(range(round % 5 + 1))
			local named = json.array({ ["name" .. round] = true })
			for key in order:gmatch("%d+") do
				named[tonumber(key)] = list[tonumber(key)]
			end
			assert.is_false(pcall(json.encode, named), order)
		end
	end)
end)

describe("json.array", function()
	it("marks a table and returns it", function()
		local list = {}
		assert.equal(list, json.array(list))
		assert.equal("tidegate.json.array", getmetatable(list).__name)
	end)

	it("is what decoded arrays are", function()
		assert.equal(getmetatable(json.array({})), getmetatable(json.decode("[]")))
		assert.is_nil(getmetatable(json.decode("{}")))
	end)

	it("takes nothing but a table", function()
		assert.error_matches(function() json.array() end, "table expected, got no value")
		assert.error_matches(function() json.array("x") end, "table expected, got string")
	end)
end)

describe("json.null", function()
	it("is one value, true in conditions, and none that Lua has", function()
		assert.equal("userdata", type(json.null))
		assert.is_true(json.null and true)
		assert.equal(json.null, json.decode("[null]")[1])
		assert.equal(json.null, json.decode("null"))
	end)
end)

describe("json", function()
	local function digits(text)
		return #text:gsub("e.*", ""):gsub("[-.]", ""):gsub("^0+", ""):gsub("0+$", "")
	end

	-- at a power of two the nearest may not read back, and the next one up may
	local function shortest(number)
		for precision = 1, 17 do
			local nearest, exponent = ("%." .. precision - 1 .. "e"):format(math.abs(number)):match("(.+)(e.+)")
			local up = ("%d"):format(tonumber((nearest:gsub("%.", ""))) + 1)
			local above = tonumber(("%se%d"):format(up, tonumber(exponent:sub(2)) - precision + 1))
			if tonumber(nearest .. exponent) == math.abs(number) or above == math.abs(number) then
				return precision
			end
		end
	end

	it("gives back every text it wrote", function()
		for _, text in ipairs({
			"[]", "{}", "[[],{},[[]]]", "[null]", '{"a":[]}', "1", "1.0", "-0.0", "1e300",
			"9223372036854775807", "-9223372036854775808", "1e16", '"\\u0000é"', "[1,1.0,1.5]",
		}) do
			assert.equal(text, json.encode(json.decode(text)))
		end
	end)

	it("finds the byte that is escaped, wherever it is in whatever string", function()
		for len = 1, 40 do
			for at = 1, len do
				for byte, escaped in pairs({ ['"'] = '\\"', ["\\"] = "\\\\", ["\31"] = "\\u001f", ["é"] = "é", ["\127"] = "\127" }) do
					local text = ("x"):rep(at - 1) .. byte .. ("x"):rep(len - at)
					local written = ("x"):rep(at - 1) .. escaped .. ("x"):rep(len - at)
					assert.equal('["' .. written .. '"]', json.encode({ text }))
					assert.equal(text, json.decode('"' .. written .. '"'))
				end
				assert.is_false((pcall(json.encode, ("x"):rep(at - 1) .. "\xff" .. ("x"):rep(len - at))))
			end
		end
	end)

	it("gives back every float and keeps it a float, in the fewest digits", function()
		local function check(number)
			local text = json.encode(number)
			local decoded = json.decode(text)
			assert(math.type(decoded) == "float" and decoded == number, text)
			assert(digits(text) <= shortest(number), text)
		end
		for exponent = -1074, 1023 do
			check(2.0 ^ exponent)
			check(-(2.0 ^ exponent) * (1 + 2.0 ^ -52))
		end
		for _ = 1, 3000 do
			local bits = math.random(0)
			local number = string.unpack("d", string.pack("j", bits))
			if number - number == 0 then
				check(number)
			end
			check(math.random())
			check(math.random(0, 1000000) / 100)
			check(math.random(0, 10 ^ 12 // 1 | 0) / 10 ^ math.random(1, 7))
		end
	end)

	it("gives back every integer", function()
		for shift = 0, 63 do
			for step = -1, 1 do
				local number = (1 << shift) + step
				assert.equal(number, json.decode(json.encode(number)))
				assert.equal("integer", math.type(json.decode(json.encode(number))))
			end
		end
	end)

	it("gives back every code point", function()
		for first = 0, 0x10ffff, 0x400 do
			if first < 0xd800 or first > 0xdfff then
				local points = {}
				for i = 0, 0x3ff do
					points[i + 1] = utf8.char(first + i)
				end
				local text = table.concat(points)
				assert(text == json.decode(json.encode(text)), first)
			end
		end
	end)
end)
