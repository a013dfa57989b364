--- Absolute URLs of http and https, and what refers to them (RFC 3986).
--
-- What is wrong with one is returned: nil and a sentence.

local ports = { http = 80, https = 443 }

local function split(url)
	local scheme, authority, rest = url:match("^(%a[%w+.-]*)://([^/?#]*)([^#]*)")
	if not scheme then
		return nil, ("'%s' is no absolute URL"):format(url)
	end
	scheme = scheme:lower()
	if not ports[scheme] then
		return nil, ("'%s' is neither http nor https"):format(url)
	end
	return scheme, authority, rest
end

local function read_authority(authority)
	if authority:find("@", 1, true) then
		return nil, "a URL does not carry user and password: use the option auth"
	end
	local host, port = authority:match("^(%[[%x:.]+%])(.*)$")
	if not host then
		host, port = authority:match("^([%w._~!$&'()*+,;=%%-]+)(.*)$")
	end
	local has_port = port ~= "" and port ~= ":" -- else the scheme's
	local number = has_port and port and math.tointeger(tonumber(port:match("^:(%d+)$")))
	if not host or has_port and not (number and 0 < number and number <= 65535) then
		return nil, ("'%s' is no host"):format(authority)
	end
	return host:lower(), number or nil
end

-- Parsed, of late: most requests go to a few URLs.
local known, count, most = {}, 0, 256

local function remember(url, parts)
	if count == most then
		known, count = {}, 0
	end
	known[url], count = parts, count + 1
	return parts
end

local function text_of(parts)
	return parts.scheme .. "://" .. parts.authority .. parts.target
end

--- { scheme, host (without brackets), port, authority (for Host), origin,
-- target (path and query), text (all of it) }, which is not to be changed.
local function parse(url)
	if known[url] then
		return known[url]
	end
	local bad = url:find("[^\x21-\x7e]")
	if bad then
		return nil, ("byte %d of the URL must be percent-encoded"):format(bad)
	end
	local scheme, authority, rest = split(url)
	if not scheme then
		return nil, authority
	end
	local host, port = read_authority(authority)
	if not host then
		return nil, port
	end
	local default = ports[scheme]
	port = port or default
	local parts = {
		scheme = scheme,
		host = host:match("^%[(.*)%]$") or host,
		port = port,
		authority = port == default and host or host .. ":" .. port,
		origin = scheme .. "://" .. host .. ":" .. port,
		target = rest:sub(1, 1) == "/" and rest or "/" .. rest,
	}
	parts.text = text_of(parts)
	return remember(url, parts)
end

local function encode_byte(char)
	return ("%%%02X"):format(char:byte())
end

--- Encodes everything but unreserved characters (2.3).
local function encode(value)
	return (tostring(value):gsub("[^%w._~-]", encode_byte))
end

--- name=value&..., in the order of the names; a list gives several.
local function encode_pairs(values)
	local names = {}
	for name in pairs(values) do
		if type(name) ~= "string" then
			error("names of a query or a form are strings, not a " .. type(name), 0)
		end
		names[#names + 1] = name
	end
	table.sort(names)
	local list = {}
	local function add(name, value)
		local kind = type(value)
		if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
			error(("'%s' is a string, a number, a boolean or a list of them, not a %s"):format(name, kind), 0)
		end
		list[#list + 1] = encode(name) .. "=" .. encode(value)
	end
	for _, name in ipairs(names) do
		local value = values[name]
		if type(value) == "table" then
			for _, one in ipairs(value) do
				add(name, one)
			end
		else
			add(name, value)
		end
	end
	return table.concat(list, "&")
end

--- With the pairs added to its query.
local function with_query(parts, values)
	local copy = {}
	for name, value in pairs(parts) do
		copy[name] = value
	end
	copy.target = copy.target .. (copy.target:find("?", 1, true) and "&" or "?") .. encode_pairs(values)
	copy.text = text_of(copy)
	return copy
end

-- 5.2.4
local function remove_dots(path)
	local kept = {}
	for slash, segment in path:gmatch("(/)([^/]*)") do
		if segment == ".." then
			kept[#kept] = nil
		elseif segment ~= "." then
			kept[#kept + 1] = slash .. segment
		end
	end
	local last = path:match("/([^/]*)$")
	if last == "." or last == ".." then
		kept[#kept + 1] = "/"
	end
	return #kept > 0 and table.concat(kept) or "/"
end

--- What a Location refers to (5.2), parsed; or nil and what is wrong.
local function resolve(base, reference)
	reference = reference:gsub("#.*$", ""):gsub("[^\x21-\x7e]", encode_byte)
	if reference:find("^%a[%w+.-]*:") then
		return parse(reference)
	end
	if reference:find("^//") then
		return parse(base.scheme .. ":" .. reference)
	end
	local path, query = reference:match("^([^?]*)(.*)$")
	local base_path = base.target:match("^[^?]*")
	if path == "" then
		path = base_path
		query = query ~= "" and query or base.target:match("%?.*$") or ""
	elseif path:sub(1, 1) ~= "/" then
		path = base_path:match("^.*/") .. path
	end
	return parse(base.scheme .. "://" .. base.authority .. remove_dots(path) .. query)
end

--- A path below a base URL, however many slashes meet; a whole URL stays.
local function join(base, url)
	if not base or url:find("^%a[%w+.-]*://") then
		return url
	end
	return (base:gsub("/+$", "")) .. "/" .. (url:gsub("^/+", ""))
end

return {
	parse = parse,
	resolve = resolve,
	join = join,
	encode_pairs = encode_pairs,
	with_query = with_query,
}
