--- The parts of multipart content (RFC 7578), one after the other.

local core = require("tidegate.core.multipart")
local failure = require("tidegate.failure")

local part_methods = {}
local part_mt = { __name = "tidegate.part", __index = part_methods }

-- The parameters of a field such as `form-data; name="a"; filename="b.txt"`,
-- in lower case, and what stands before them. Nil: it is malformed.
local function parameters(value)
	local kind, at = value:match("^%s*([%w!#$&^_.+/-]+)%s*()")
	if not kind then return nil end
	local list = {}
	while at <= #value do
		local name, behind = value:match("^;%s*([%w!#$&^_.+*-]+)=()", at)
		if not name then
			return value:find("^;?%s*$", at) and kind:lower(), list
		end
		local text
		if value:sub(behind, behind) == '"' then
			local from = behind + 1
			local stop = from
			while true do
				stop = value:find('["\\]', stop)
				if not stop then return nil end
				if value:sub(stop, stop) == '"' then break end
				stop = stop + (value:find('^["\\]', stop + 1) and 2 or 1)
			end
			text, at = value:sub(from, stop - 1):gsub('\\(["\\])', "%1"), stop + 1
		else
			text, at = value:match("^([^;%s]*)()", behind)
		end
		name = name:lower()
		list[name] = list[name] or text
		at = value:match("^%s*()", at)
	end
	return kind:lower(), list
end

-- Browsers escape only what would end the quotes.
local escapes = { ["%22"] = '"', ["%0D"] = "\r", ["%0A"] = "\n" }

local function unescape(text)
	return text and text:gsub("%%%x%x", function(escape) return escapes[escape:upper()] end)
end

local function new_part(reader, lines, limits)
	local headers = {}
	for i = 1, #lines, 2 do
		local name = lines[i]:lower()
		headers[name] = headers[name] or lines[i + 1]
	end
	local kind, list = parameters(headers["content-disposition"] or "")
	if kind ~= "form-data" or not list or not list.name then
		failure.raise(400, "a part of the form has no name")
	end
	return setmetatable({
		name = unescape(list.name),
		filename = unescape(list.filename),
		type = headers["content-type"] or "text/plain",
		headers = headers,
		_reader = reader,
		_left = limits.size or math.huge,
	}, part_mt)
end

local function next_piece(part)
	if not part._reader then
		return nil
	end
	local kind, data = part._reader:next()
	if kind ~= "data" then
		part._reader = nil
		return nil
	end
	part._left = part._left - #data
	if part._left < 0 then
		failure.raise(413, ("part '%s' is too large"):format(part.name))
	end
	return data
end

-- Before its content is read; `path` is where save() puts it.
local function check(part, path)
	if getmetatable(part) ~= part_mt then
		error("a part was expected: is this a call with '.' that needs ':'?", 3)
	end
	if path ~= nil and (type(path) ~= "string" or path == "") then
		error("save() takes the path of a file", 3)
	end
	if part._over then
		error("this part is over: another was asked for", 3)
	end
	if part._begun then
		error("this part is read already", 3)
	end
	part._begun = true
end

--- An iterator over its content, in pieces as they come.
function part_methods:chunks()
	check(self)
	return function()
		if self._over then
			error("this part is over: another was asked for", 2)
		end
		return next_piece(self)
	end
end

--- All of its content, as a string.
function part_methods:text()
	check(self)
	local pieces = {}
	for piece in next_piece, self do
		pieces[#pieces + 1] = piece
	end
	return table.concat(pieces)
end

-- Writes all pieces; returns the bytes, or nil, message, code.
local function write(self, file)
	local size = 0
	for piece in next_piece, self do
		local ok, message, code = file:write(piece)
		if not ok then return nil, message, code end
		size = size + #piece
	end
	local ok, message, code = file:close()
	if not ok then return nil, message, code end
	return size
end

local saved = 0 -- makes names unique on a thread

--- Writes its content to a file, which is there only when it is whole. Returns
-- the bytes, or nil, message, code.
function part_methods:save(path)
	check(self, path or "")
	saved = saved + 1
	local temporary = ("%s.%s.%d.part"):format(path, tostring(self):match("0x(%x+)"), saved)
	local file, message, code = io.open(temporary, "wb")
	if not file then
		return nil, message, code
	end
	local kept = false
	local _ <close> = setmetatable({}, { __close = function()
		if not kept then
			pcall(file.close, file)
			os.remove(temporary)
		end
	end })
	local size
	size, message, code = write(self, file)
	if not size then
		return nil, message, code
	end
	kept, message, code = os.rename(temporary, path)
	if not kept then
		return nil, message, code
	end
	return size
end

local options = { parts = true, size = true }

local function check_options(given)
	if given == nil then
		return {}
	end
	if type(given) ~= "table" then
		error("multipart() takes a table of options, not a " .. type(given), 4)
	end
	for name, value in pairs(given) do
		if not options[name] then
			error(("multipart() has no option '%s'"):format(name), 4)
		end
		if type(value) ~= "number" or value ~= value or value < 0 then
			error(("option '%s' of multipart() is a number from 0"):format(name), 4)
		end
	end
	return given
end

--- What request:multipart(options) gives: an iterator over the parts.
local function parts(request, given)
	local limits = check_options(given)
	local kind, list = parameters(request.headers["content-type"] or "")
	if kind ~= "multipart/form-data" then
		failure.raise(415, "the content is not multipart/form-data")
	end
	local reader = core.open(request, list and list.boundary or "")
	if not reader then
		failure.raise(400, "multipart content needs a boundary")
	end
	local part
	local count, most = 0, limits.parts or 1000
	return function()
		if part then
			for _ in next_piece, part do end -- what nobody read
			part._over = true
		end
		local event, lines = reader:next()
		if not event then
			part = nil
			return nil
		end
		count = count + 1
		if count > most then
			failure.raise(413, "the form has too many parts")
		end
		part = new_part(reader, lines, limits)
		return part
	end
end

return { parts = parts }
