local json = require("tidegate.json")

local function quoted(text)
	return (("%q"):format(#text < 60 and text or text:sub(1, 57) .. "..."):gsub("\\\n", "\\n"))
end

describe("json.decode", function()
	describe("accepts", function()
		local cases = {
			-- scalars on their own
			{ "null", json.null },
			{ "true", true },
			{ "false", false },
			{ '""', "" },
			{ " \t\r\n1 \t\r\n", 1 },
			-- structure
			{ "[]", {} },
			{ "{}", {} },
			{ "[[],{}]", { {}, {} } },
			{ "[1,[2,[3]],null]", { 1, { 2, { 3 } }, json.null } },
			{ '{"a":{"b":[true,false]}}', { a = { b = { true, false } } } },
			{ '{"":0,"a b":1}', { [""] = 0, ["a b"] = 1 } },
			{ '{"a":1,"b":2,"a":3}', { a = 3, b = 2 } },
			{ "[" .. ("1,"):rep(999) .. "1]", (function()
				local ones = {}
				for i = 1, 1000 do
					ones[i] = 1
				end
				return ones
			end)() },
			-- integers
			{ "0", 0 },
			{ "-0", 0 },
			{ "-1", -1 },
			{ "1234567890123456", 1234567890123456 },
			{ "9007199254740993", 9007199254740993 },
			{ "9223372036854775807", math.maxinteger },
			{ "-9223372036854775808", math.mininteger },
			-- integers too large for that become floats
			{ "9223372036854775808", 2.0 ^ 63 },
			{ "-9223372036854775809", -2.0 ^ 63 },
			{ "18446744073709551616", 2.0 ^ 64 },
			{ "1" .. ("0"):rep(30), 1e30 },
			-- floats
			{ "1.0", 1.0 },
			{ "-0.0", -0.0 },
			{ "0e5", 0.0 },
			{ "1E5", 100000.0 },
			{ "1e+2", 100.0 },
			{ "25e-1", 2.5 },
			{ "0.1", 0.1 },
			{ "123456.789", 123456.789 },
			{ "0.30000000000000004", 0.1 + 0.2 },
			{ "1.7976931348623157e308", 1.7976931348623157e308 },
			{ "2.2250738585072014e-308", 2.2250738585072014e-308 },
			{ "5e-324", 5e-324 },
			{ "1e-400", 0.0 },
			{ "0e99999999999999999999", 0.0 },
			{ "0." .. ("0"):rep(400) .. "1e401", 1.0 },
			-- half way between two doubles: to the even one, or by the digit far behind
			{ "9007199254740993.0", 9007199254740992.0 },
			{ "9007199254740993." .. ("0"):rep(900) .. "1", 9007199254740994.0 },
			{ "9007199254740995.0", 9007199254740996.0 },
			-- strings
			{ [["\"\\\/\b\f\n\r\t"]], '"\\/\b\f\n\r\t' },
			{ [["\u0000\u001f\u007f"]], "\0\31\127" },
			{ [["\u00e9\u00E9\u20ac"]], "éé€" },
			{ [["\ud83d\ude00"]], "😀" },
			{ [["\uDBFF\uDFFF"]], "\u{10ffff}" },
			{ [["\ud800\udc00"]], "\u{10000}" },
			{ [["\ud7ff\ue000\uffff"]], "\u{d7ff}\u{e000}\u{ffff}" },
			{ '"grüße 日本 😀"', "grüße 日本 😀" },
			{ '"\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{10000}\u{10ffff}"',
				"\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{10000}\u{10ffff}" },
			{ '"\127"', "\127" },
			{ '"' .. ("long "):rep(1000) .. '"', ("long "):rep(1000) },
			{ '"' .. ("long\\n"):rep(1000) .. '"', ("long\n"):rep(1000) },
			{ [[{"\u0061\n":1}]], { ["a\n"] = 1 } },
		}
		for _, case in ipairs(cases) do
			local text, value = table.unpack(case)
			it(quoted(text), function()
				local decoded, message = json.decode(text)
				assert.is_nil(message)
				assert.same(value, decoded)
				assert.equal(math.type(value), math.type(decoded))
				if value == 0 then
					assert.equal(1 / value, 1 / decoded)
				end
			end)
		end
	end)

	describe("refuses", function()
		local cases = {
			-- nothing, or too much
			{ "", "line 1, column 1: expected a value but found the end of the text" },
			{ " \n ", "line 2, column 2: expected a value but found the end of the text" },
			{ "1 2", "line 1, column 3: expected the end of the text but found '2'" },
			{ "{}}", "line 1, column 3: expected the end of the text but found '}'" },
			{ "1\0", "line 1, column 2: expected the end of the text but found byte 0x00" },
			{ "\u{feff}1", "line 1, column 1: byte order mark before the value" },
			{ "\u{a0}1", "line 1, column 1: expected a value but found '\u{a0}'" },
			{ "\v1", "line 1, column 1: expected a value but found byte 0x0b" },
			{ "1 // one", "line 1, column 3: expected the end of the text but found '/'" },
			{ "/* */ 1", "line 1, column 1: expected a value but found '/'" },
			-- words
			{ "nul", "line 1, column 1: expected a value but found 'n'" },
			{ "True", "line 1, column 1: expected a value but found 'T'" },
			{ "nan", "line 1, column 1: expected a value but found 'n'" },
			{ "Infinity", "line 1, column 1: expected a value but found 'I'" },
			{ "truex", "line 1, column 5: expected the end of the text but found 'x'" },
			{ "[é]", "line 1, column 2: expected a value but found 'é'" },
			-- arrays
			{ "[", "line 1, column 2: expected a value but found the end of the text" },
			{ "[1", "line 1, column 3: expected ',' or ']' but found the end of the text" },
			{ "[1,", "line 1, column 4: expected a value but found the end of the text" },
			{ "[1,]", "line 1, column 4: expected a value but found ']'" },
			{ "[,1]", "line 1, column 2: expected a value but found ','" },
			{ "[1 2]", "line 1, column 4: expected ',' or ']' but found '2'" },
			{ "[1}", "line 1, column 3: expected ',' or ']' but found '}'" },
			{ "[\n1,\n  x]", "line 3, column 3: expected a value but found 'x'" },
			{ '["é", x]', "line 1, column 7: expected a value but found 'x'" },
			-- objects
			{ "{", "line 1, column 2: expected a key or '}' but found the end of the text" },
			{ '{"a"', "line 1, column 5: expected ':' but found the end of the text" },
			{ '{"a" 1}', "line 1, column 6: expected ':' but found '1'" },
			{ '{"a":}', "line 1, column 6: expected a value but found '}'" },
			{ '{"a":1,}', "line 1, column 8: expected a key but found '}'" },
			{ "{,}", "line 1, column 2: expected a key or '}' but found ','" },
			{ "{a:1}", "line 1, column 2: expected a key or '}' but found 'a'" },
			{ "{1:1}", "line 1, column 2: expected a key or '}' but found '1'" },
			{ "{'a':1}", "line 1, column 2: expected a key or '}' but found '''" },
			{ '{"a":1\n   x', "line 2, column 4: expected ',' or '}' but found 'x'" },
			{ '{"a":1]', "line 1, column 7: expected ',' or '}' but found ']'" },
			-- numbers
			{ "-", "line 1, column 2: expected a digit but found the end of the text" },
			{ "-x", "line 1, column 2: expected a digit but found 'x'" },
			{ "+1", "line 1, column 1: expected a value but found '+'" },
			{ ".5", "line 1, column 1: expected a value but found '.'" },
			{ "1.", "line 1, column 3: expected a digit but found the end of the text" },
			{ "1.e5", "line 1, column 3: expected a digit but found 'e'" },
			{ "1e", "line 1, column 3: expected a digit but found the end of the text" },
			{ "1e+", "line 1, column 4: expected a digit but found the end of the text" },
			{ "1e1.5", "line 1, column 4: expected the end of the text but found '.'" },
			{ "01", "line 1, column 2: expected the end of the text but found '1'" },
			{ "-01", "line 1, column 3: expected the end of the text but found '1'" },
			{ "0x10", "line 1, column 2: expected the end of the text but found 'x'" },
			{ "1_000", "line 1, column 2: expected the end of the text but found '_'" },
			{ "[1e400]", "line 1, column 2: number out of range" },
			{ "-1e99999999999999999999", "line 1, column 1: number out of range" },
			{ "1" .. ("0"):rep(400), "line 1, column 1: number out of range" },
			-- strings
			{ '"a', "line 1, column 3: expected '\"' at the end of the string but found the end" },
			{ '"a\\', "line 1, column 4: expected an escape but found the end of the text" },
			{ '"a\\n', "line 1, column 5: expected '\"' at the end of the string but found the end" },
			{ [["\x"]], "line 1, column 3: expected an escape but found 'x'" },
			{ [["\N"]], "line 1, column 3: expected an escape but found 'N'" },
			{ '"\\\0"', "line 1, column 3: expected an escape but found byte 0x00" },
			{ '"a\nb"', "line 1, column 3: expected an escaped control character but found byte 0x0a" },
			{ '"\\n\tb"', "line 1, column 4: expected an escaped control character but found byte 0x09" },
			{ '"\0"', "line 1, column 2: expected an escaped control character but found byte 0x00" },
			{ [["\u12"]], "line 1, column 6: expected a hexadecimal digit but found '\"'" },
			{ [["\u12g4"]], "line 1, column 6: expected a hexadecimal digit but found 'g'" },
			{ [["\u+123"]], "line 1, column 4: expected a hexadecimal digit but found '+'" },
			{ [["\ud800"]], "line 1, column 2: lone surrogate" },
			{ [["\udc00"]], "line 1, column 2: lone surrogate" },
			{ [["\ud800x"]], "line 1, column 2: lone surrogate" },
			{ [["\ud800\n"]], "line 1, column 2: lone surrogate" },
			{ [["\ud800\ud800"]], "line 1, column 2: lone surrogate" },
			{ [["\ud800\u0041"]], "line 1, column 2: lone surrogate" },
			{ [["\ud800\udc0"]], "line 1, column 13: expected a hexadecimal digit but found '\"'" },
			-- UTF-8
			{ '"\x80"', "line 1, column 2: expected UTF-8 but found byte 0x80" },
			{ '"a\xff"', "line 1, column 3: expected UTF-8 but found byte 0xff" },
			{ '"\xc0\xaf"', "line 1, column 2: expected UTF-8 but found byte 0xc0" },
			{ '"\xc1\xbf"', "line 1, column 2: expected UTF-8 but found byte 0xc1" },
			{ '"\xc3"', "line 1, column 2: expected UTF-8 but found byte 0xc3" },
			{ '"\xe0\x9f\xbf"', "line 1, column 2: expected UTF-8 but found byte 0xe0" },
			{ '"\xe2\x82"', "line 1, column 2: expected UTF-8 but found byte 0xe2" },
			{ '"\xed\xa0\x80"', "line 1, column 2: expected UTF-8 but found byte 0xed" },
			{ '"\xf0\x8f\xbf\xbf"', "line 1, column 2: expected UTF-8 but found byte 0xf0" },
			{ '"\xf0\x9f\x98"', "line 1, column 2: expected UTF-8 but found byte 0xf0" },
			{ '"\xf4\x90\x80\x80"', "line 1, column 2: expected UTF-8 but found byte 0xf4" },
			{ '"\xf5\x80\x80\x80"', "line 1, column 2: expected UTF-8 but found byte 0xf5" },
			{ '"é\\n\xe9"', "line 1, column 5: expected UTF-8 but found byte 0xe9" },
			{ '{"\xe9":1}', "line 1, column 3: expected UTF-8 but found byte 0xe9" },
			{ "1\xe9", "line 1, column 2: expected the end of the text but found byte 0xe9" },
		}
		for _, case in ipairs(cases) do
			local text, expected = table.unpack(case)
			it(quoted(text), function()
				local value, message = json.decode(text)
				assert.is_nil(value)
				assert.equal(expected, message:sub(1, #expected))
			end)
		end

		it("every proper beginning of a document", function()
			local text = '{"a":[1,-2.5e3,"x\\u00e9\\n",true],"b":{"c":null},"d":"é"}'
			assert.is_table(json.decode(text))
			for len = 0, #text - 1 do
				local value, message = json.decode(text:sub(1, len))
				assert.is_nil(value)
				assert.matches("^line 1, column %d+: expected ", message)
			end
		end)

		it("a bad escape far into a deeply nested long string", function()
			local text = ("x"):rep(5000) .. [[\n\q"]]
			for depth = 1, 99 do
				local value, message = json.decode(("["):rep(depth) .. '"' .. text)
				assert.is_nil(value)
				assert.matches("expected an escape but found 'q'", message)
			end
		end)
	end)

	it("nests 100 levels and no more", function()
		assert.is_table(json.decode(("["):rep(100) .. ("]"):rep(100)))
		assert.is_table(json.decode(('{"a":'):rep(99) .. "[]" .. ("}"):rep(99)))
		local value, message = json.decode(("["):rep(101) .. ("]"):rep(101))
		assert.is_nil(value)
		assert.equal("line 1, column 101: nested deeper than 100 levels", message)
		assert.is_nil((json.decode(('{"a":'):rep(101) .. "1" .. ("}"):rep(101))))
		assert.is_nil((json.decode(("["):rep(1000000))))
	end)

	it("gives each key as it stands, whatever came before", function()
		local words = { "", "a", "b", "ab", "ba", "aba", "abb", "bab", "é", "a\\n", ("k"):rep(32), ("k"):rep(33), ("k"):rep(50) }
		for i = 1, 60 do
			words[#words + 1] = "id" .. i
		end
		local parts, expected = {}, {}
		for i = 1, 2000 do
			local word = words[math.random(#words)]
			parts[i], expected[i] = ('{"%s":%d}'):format(word, i), { [word:gsub("\\n", "\n")] = i }
		end
		assert.same(expected, json.decode("[" .. table.concat(parts, ",") .. "]"))
	end)

	it("does not count siblings as depth", function()
		assert.equal(500, #json.decode("[" .. ("[[]],"):rep(499) .. "{}]"))
	end)

	it("sizes each table by its own members, whatever its siblings hold", function()
		local text = '[{"a":1},{},{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6},[],[1,2,3,4,5,6],[1],{"a":1}]'
		local value = json.decode(text)
		assert.equal(6, value[3].f)
		assert.equal(6, #value[5])
		assert.same({ a = 1 }, value[7])
	end)

	it("refuses more bytes than max_size allows", function()
		assert.same({ 1 }, json.decode("[1]", { max_size = 3 }))
		local value, message = json.decode("[10]", { max_size = 3 })
		assert.is_nil(value)
		assert.equal("text of 4 bytes exceeds the limit of 3", message)
	end)

	it("leaves the text alone", function()
		local text = [["a\n"]]
		json.decode(text)
		assert.equal([["a\n"]], text)
	end)

	it("raises on misuse", function()
		assert.error_matches(function() json.decode() end, "string expected, got no value")
		assert.error_matches(function() json.decode(1) end, "string expected, got number")
		assert.error_matches(function() json.decode("1", 5) end, "table expected, got number")
		assert.error_matches(function() json.decode("1", { size = 5 }) end, "unknown option 'size'")
		assert.error_matches(function() json.decode("1", { 5 }) end, "options have names")
		assert.error_matches(function() json.decode("1", { max_size = -1 }) end,
			"option 'max_size' is out of range")
		assert.error_matches(function() json.decode("1", { max_size = "1" }) end,
			"option 'max_size' is out of range")
	end)
end)
