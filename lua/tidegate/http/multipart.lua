--- Content of several parts: multipart/form-data (RFC 7578).

local function check(kind, value, what)
	if type(value) ~= kind then
		error(("%s is a %s, not a %s"):format(what, kind, type(value)), 0)
	end
	return value
end

local escapes = { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }

local function quote(value)
	return '"' .. value:gsub('["\r\n]', escapes) .. '"'
end

-- { name =, content =, filename =, type = }
local function normalize(name, value)
	if type(value) == "string" or type(value) == "number" then
		value = { content = tostring(value) }
	end
	check("table", value, "a part")
	local part = {
		name = check("string", name or value.name, "the name of a part"),
		content = check("string", value.content, "the content of a part"),
		filename = value.filename,
		type = value.type or value.filename and "application/octet-stream" or nil,
	}
	if part.filename then
		check("string", part.filename, "the filename of a part")
	end
	if part.type and check("string", part.type, "the type of a part"):find("[%z\1-\31\127]") then
		error("the type of a part has a control byte", 0)
	end
	return part
end

-- A list keeps its order; named parts follow in that of their names.
local function normalize_all(parts)
	local list, names = {}, {}
	check("table", parts, "multipart")
	for i, part in ipairs(parts) do
		list[i] = normalize(nil, part)
	end
	for name in pairs(parts) do
		if type(name) == "string" then
			names[#names + 1] = name
		end
	end
	table.sort(names)
	for _, name in ipairs(names) do
		list[#list + 1] = normalize(name, parts[name])
	end
	return list
end

local function is_inside(list, boundary)
	for _, part in ipairs(list) do
		if part.content:find(boundary, 1, true) then
			return true
		end
	end
end

local function choose_boundary(list)
	local boundary
	repeat
		boundary = ("tidegate-%016x%016x"):format(math.random(0), math.random(0))
	until not is_inside(list, boundary)
	return boundary
end

--- The content and its type.  `parts` is a list of { name =, content =,
-- filename =, type = }, or maps names to strings and such tables.
local function encode(parts)
	local list = normalize_all(parts)
	local boundary = choose_boundary(list)
	local pieces = {}
	for _, part in ipairs(list) do
		pieces[#pieces + 1] = ("--%s\r\ncontent-disposition: form-data; name=%s"):format(boundary, quote(part.name))
		if part.filename then
			pieces[#pieces + 1] = "; filename=" .. quote(part.filename)
		end
		if part.type then
			pieces[#pieces + 1] = "\r\ncontent-type: " .. part.type
		end
		pieces[#pieces + 1] = "\r\n\r\n" .. part.content .. "\r\n"
	end
	pieces[#pieces + 1] = "--" .. boundary .. "--\r\n"
	return table.concat(pieces), "multipart/form-data; boundary=" .. boundary
end

return { encode = encode }
