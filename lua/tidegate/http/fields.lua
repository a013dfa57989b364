--- The header fields of a request: what the caller gives, and what is ours.

local core = require("tidegate.core")
local http = require("tidegate.core.http")

local agent = "tidegate/" .. core.version
local codings = http.codings()

-- They say where messages end and what the connection does.
local ours = {
	["connection"] = true,
	["content-length"] = true,
	["expect"] = true,
	["keep-alive"] = true,
	["te"] = true,
	["trailer"] = true,
	["transfer-encoding"] = true,
	["upgrade"] = true,
}

local function check_name(name)
	if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
		error(("'%s' is no header name"):format(tostring(name)), 0)
	end
	local lower = name:lower()
	if ours[lower] then
		error(("the header '%s' is made by the client itself"):format(name), 0)
	end
	return lower
end

local function check_value(name, value)
	if type(value) ~= "string" and type(value) ~= "number" then
		error(("header '%s' is a string, a number or a list of them, not a %s"):format(name, type(value)), 0)
	end
	value = tostring(value)
	if value:find("[%z\1-\8\10-\31\127]") then
		error(("header '%s' has a control byte in its value"):format(name), 0)
	end
	return value
end

-- Adds the lines of `given`, and marks their names; those that are marked
-- already by somebody else are passed over.
local function add(lines, given, marks, mark)
	for name, value in pairs(given) do
		local lower = check_name(name)
		marks[lower] = marks[lower] or mark
		if marks[lower] == mark then
			if type(value) == "table" then
				for _, one in ipairs(value) do
					lines[#lines + 1] = name .. ": " .. check_value(name, one)
				end
			elseif value ~= false then
				lines[#lines + 1] = name .. ": " .. check_value(name, value)
			end
		end
	end
end

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
	return (text:gsub("..?.?", function(group)
		local a, b, c = group:byte(1, 3)
		local bits = a << 16 | (b or 0) << 8 | (c or 0)
		local out = {}
		for i = 1, 4 do
			local at = (bits >> (24 - 6 * i) & 63) + 1
			out[i] = i <= #group + 1 and alphabet:sub(at, at) or "="
		end
		return table.concat(out)
	end))
end

local function authorization(options)
	if options.bearer then
		return "Bearer " .. options.bearer
	end
	local user, password = options.auth[1], options.auth[2]
	if user:find(":", 1, true) then
		error("a user's name has no colon in it", 0)
	end
	return "Basic " .. base64(user .. ":" .. password)
end

-- Those that are there unless they were given, `false` included.
local function add_own(lines, marks, name, value)
	if not marks[name] and value then
		lines[#lines + 1] = name .. ": " .. check_value(name, value)
	end
end

-- A list of lines and a set of their names.
local function build(options, defaults, content_type, decode)
	local lines, marks = {}, {}
	if options.headers then
		add(lines, options.headers, marks, "request")
	end
	if defaults.headers then
		add(lines, defaults.headers, marks, "client")
	end
	local who = (options.auth or options.bearer) and options or (defaults.auth or defaults.bearer) and defaults
	if who then
		add_own(lines, marks, "authorization", authorization(who))
	end
	add_own(lines, marks, "user-agent", agent)
	add_own(lines, marks, "accept", "*/*")
	add_own(lines, marks, "accept-encoding", decode and codings)
	add_own(lines, marks, "content-type", content_type)
	return lines, marks
end

local function join(lines)
	return #lines > 0 and table.concat(lines, "\r\n") .. "\r\n" or ""
end

local nothing = {}

--- What requests without fields of their own send, as make() gives it.
local function prepare(defaults)
	local prepared = {}
	for _, decode in ipairs({ true, false }) do
		local lines, marks = build(nothing, defaults, nil, decode)
		prepared[decode] = { text = join(lines), lines = lines, has_host = marks.host }
	end
	return prepared
end

--- { text, lines (of it), has_host }: the fields but for Host, unless it was
-- given, and what frames.  `options` and `defaults` may have headers, auth,
-- bearer; `defaults.prepared` is what prepare() made of them.
local function make(options, defaults, content_type, decode)
	if not options.headers and not options.auth and not options.bearer and not content_type then
		return defaults.prepared[decode]
	end
	local lines, marks = build(options, defaults, content_type, decode)
	return { text = join(lines), lines = lines, has_host = marks.host }
end

return { make = make, prepare = prepare, join = join }
