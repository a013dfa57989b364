--- Writes JSON for people to read and for git to compare: keys in order, lists
-- of numbers and flat tables on one line.

local function scalar(value)
	if math.type(value) == "float" then
		return value ~= value and "null" or ("%.6g"):format(value)
	elseif type(value) == "string" then
		return '"' .. value:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
	end
	return tostring(value)
end

local function is_flat(value)
	for _, item in pairs(value) do
		if type(item) == "table" then
			return false
		end
	end
	return true
end

local function encode(value, indent)
	if type(value) ~= "table" then
		return scalar(value)
	end
	local list, parts, keys = #value > 0 or next(value) == nil, {}, {}
	for key in pairs(value) do
		keys[#keys + 1] = key
	end
	table.sort(keys)
	local inner = indent .. "  "
	for i, key in ipairs(keys) do
		parts[i] = (list and "" or scalar(key) .. ": ") .. encode(value[key], inner)
	end
	local open, close = table.unpack(list and { "[", "]" } or { "{", "}" })
	if is_flat(value) then
		return open .. table.concat(parts, ", ") .. close
	end
	return ("%s\n%s%s\n%s%s"):format(open, inner, table.concat(parts, ",\n" .. inner), indent, close)
end

return { encode = function(value) return encode(value, "") .. "\n" end }
