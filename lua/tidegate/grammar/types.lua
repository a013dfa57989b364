--- The types a path parameter may have: what a segment must look like, and the
-- Lua value it becomes.

local lpeg = require("lpeg")

local suggest = require("tidegate.suggest")

local P, R, S, C, Cmt = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cmt

local digit = R("09")
local digits = digit ^ 1
local hex_digit = R("09", "af", "AF")
local whole_number = P("-") ^ -1 * digits
local decimal = S("+-") ^ -1 * digits * ("." * digits) ^ -1 * (S("eE") * S("+-") ^ -1 * digits) ^ -1

local function hex_digits(count)
	local pattern = P(true)
	for _ = 1, count do
		pattern = pattern * hex_digit
	end
	return pattern
end

local function days_in(year, month)
	if month == 2 then
		local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
		return is_leap and 29 or 28
	end
	return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

-- Digits that no integer holds would become a float: they are no int.
local function to_integer(_, at, text)
	local value = tonumber(text)
	return math.type(value) == "integer" and at, value
end

-- The same for a number that no float holds.
local function to_number(_, at, text)
	local value = tonumber(text)
	return math.abs(value) ~= math.huge and at, value
end

local function to_date(_, at, text)
	local year, month = tonumber(text:sub(1, 4)), tonumber(text:sub(6, 7))
	local day = tonumber(text:sub(9))
	local is_date = month >= 1 and month <= 12 and day >= 1 and day <= days_in(year, month)
	return is_date and at, text
end

local two, hyphen = digit * digit, P("-")
local group = hex_digits(4) * hyphen
local middle = hyphen * group * group * group

-- Each matches a whole segment; what it captures is the parameter.
local patterns = {
	date = Cmt(C(two * two * hyphen * two * hyphen * two) * -1, to_date),
	uuid = C(hex_digits(8) * middle * hex_digits(12)) * -1,
	int = Cmt(C(whole_number) * -1, to_integer),
	hex = C(hex_digit ^ 1) * -1,
	number = Cmt(C(decimal) * -1, to_number),
	word = C(R("az", "AZ", "09", "__", "--") ^ 1) * -1,
}

-- The strictest first: the order in which they are tried.
local names = { "date", "uuid", "int", "hex", "number", "word" }

local ranks = {}
for i, name in ipairs(names) do
	ranks[name] = i
end

local identifier = R("az", "AZ", "__") * R("az", "AZ", "09", "__") ^ 0 * -1

-- The trial tells of references to captures that are not there.
local function compile_re(text)
	local pattern = C(require("re").compile(text)) * -1
	pattern:match("")
	return pattern
end

--- Returns the pattern of a type, or of an LPeg `re` pattern, and how early it
-- is tried (1 is first); or nil and what is wrong with it.
local function compile(text)
	if patterns[text] then
		return patterns[text], ranks[text]
	end
	if identifier:match(text) then
		local near = suggest.hint(text, names)
		return nil, ("unknown type '%s'%s"):format(text,
			near ~= "" and near or "; types are " .. table.concat(names, ", "))
	end
	local ok, pattern = pcall(compile_re, text)
	if not ok then
		return nil, ("'%s' is no pattern: %s"):format(text, tostring(pattern):gsub("^[^\n]-:%d+: ", ""))
	end
	return pattern, #names + 1
end

return { compile = compile, names = names }
