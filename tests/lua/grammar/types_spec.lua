local types = require("tidegate.grammar.types")

local function value_of(type_text, segment)
	return types.compile(type_text):match(segment)
end

describe("tidegate.grammar.types", function()
	local values = { -- type, what stands in the path, the parameter
		{ "int", "0", 0 },
		{ "int", "42", 42 },
		{ "int", "-42", -42 },
		{ "int", "007", 7 },
		{ "int", "9223372036854775807", math.maxinteger },
		{ "int", "-9223372036854775808", math.mininteger },
		{ "number", "42", 42 },
		{ "number", "-0.5", -0.5 },
		{ "number", "+1.25", 1.25 },
		{ "number", "1e3", 1000.0 },
		{ "number", "2.5E-1", 0.25 },
		{ "number", "9223372036854775808", 2.0 ^ 63 },
		{ "word", "Ada_Lovelace-1815", "Ada_Lovelace-1815" },
		{ "hex", "00ffAB", "00ffAB" },
		{ "uuid", "123e4567-E89B-12d3-a456-426614174000", "123e4567-E89B-12d3-a456-426614174000" },
		{ "date", "2023-12-31", "2023-12-31" },
		{ "date", "2024-02-29", "2024-02-29" },
		{ "date", "2000-02-29", "2000-02-29" },
		{ "[a-z]+", "tide", "tide" },
		{ "{'v'} [0-9]^2", "v12", "v12" },
		{ "'north' / 'south'", "south", "south" },
	}
	for _, case in ipairs(values) do
		local type_text, segment, value = table.unpack(case)
		it(("takes '%s' as %s"):format(segment, type_text), function()
			local found = value_of(type_text, segment)
			assert.equal(value, found)
			assert.equal(math.type(value), math.type(found))
		end)
	end

	local strangers = {
		{ "int", "" },
		{ "int", "-" },
		{ "int", "+1" },
		{ "int", "1.0" },
		{ "int", "0x10" },
		{ "int", "12a" },
		{ "int", "9223372036854775808" },
		{ "int", "-9223372036854775809" },
		{ "number", "" },
		{ "number", "." },
		{ "number", ".5" },
		{ "number", "1." },
		{ "number", "1e" },
		{ "number", "0x10" },
		{ "number", "inf" },
		{ "number", "1e400" },
		{ "word", "" },
		{ "word", "a.b" },
		{ "word", "a b" },
		{ "word", "größe" },
		{ "hex", "" },
		{ "hex", "0g" },
		{ "uuid", "123e4567e89b12d3a456426614174000" },
		{ "uuid", "123e4567-e89b-12d3-a456-42661417400" },
		{ "uuid", "123e4567-e89b-12d3-a456-4266141740000" },
		{ "uuid", "g23e4567-e89b-12d3-a456-426614174000" },
		{ "date", "2023-02-29" },
		{ "date", "1900-02-29" },
		{ "date", "2024-04-31" },
		{ "date", "2024-13-01" },
		{ "date", "2024-00-10" },
		{ "date", "2024-01-00" },
		{ "date", "2024-1-1" },
		{ "date", "2024-01-011" },
		{ "[a-z]+", "tide1" },
		{ "'north' / 'south'", "southern" },
	}
	for _, case in ipairs(strangers) do
		local type_text, segment = table.unpack(case)
		it(("does not take '%s' as %s"):format(segment, type_text), function()
			assert.is_nil(value_of(type_text, segment))
		end)
	end

	it("knows every month's last day", function()
		local last = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
		for month, day in ipairs(last) do
			assert.truthy(value_of("date", ("2023-%02d-%02d"):format(month, day)))
			assert.is_nil(value_of("date", ("2023-%02d-%02d"):format(month, day + 1)))
		end
	end)

	it("tries the stricter type first", function()
		assert.same({ "date", "uuid", "int", "hex", "number", "word" }, types.names)
		for i, name in ipairs(types.names) do
			assert.equal(i, select(2, types.compile(name)))
		end
		assert.equal(#types.names + 1, select(2, types.compile("[a-z]+")))
	end)

	local mistakes = {
		{ "integer", "unknown type 'integer'; types are date, uuid, int, hex, number, word" },
		{ "in", "unknown type 'in'; did you mean 'int'?" },
		{ "[a-z", "'[a-z' is no pattern: pattern error near '[a-z'" },
		{ "('a'*)*", "'('a'*)*' is no pattern: loop body may accept empty string" },
		{ "=y", "'=y' is no pattern: back reference 'y' not found" },
	}
	for _, case in ipairs(mistakes) do
		local text, expected = table.unpack(case)
		it(("refuses '%s'"):format(text), function()
			local pattern, message = types.compile(text)
			assert.is_nil(pattern)
			assert.equal(expected, message)
		end)
	end
end)
