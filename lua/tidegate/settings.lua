--- tidegate.lua: a file that returns a table of settings.

local suggest = require("tidegate.suggest")

local function is_string(value)
	return type(value) == "string" and value ~= ""
end

local function is_count(value)
	return math.type(value) == "integer" and value >= 1 and value <= 1024
end

local function is_seconds(value)
	return type(value) == "number" and value >= 0 and value < 1e9
end

local function one_of(...)
	local set = {}
	for _, word in ipairs({ ... }) do
		set[word] = true
	end
	return function(value)
		return set[value] or false
	end
end

local function is_listen(value)
	if type(value) ~= "table" then
		return is_string(value)
	end
	for _, address in ipairs(value) do
		if not is_string(address) then return false end
	end
	return #value > 0 and #value <= 32
end

local function is_table(value)
	return type(value) == "table"
end

-- Every key, what it must be, and the check.
local keys = {
	listen = { "'ADDRESS:PORT', 'unix:PATH' or a list of them", is_listen },
	handlers = { "a folder", is_string },
	threads = { "an integer from 1 to 1024", is_count },
	pid_file = { "a file", is_string },
	log_level = { "'debug', 'info', 'warn', 'error' or 'off'", one_of("debug", "info", "warn", "error", "off") },
	log_format = { "'auto', 'text' or 'json'", one_of("auto", "text", "json") },
	access_log = { "a file, '-' or 'off'", is_string },
	event_backend = { "the name of a libevent backend", is_string },
	debug_events = { "true or false", one_of(true, false) },
	shutdown_timeout = { "seconds", is_seconds },
	drain_timeout = { "seconds", is_seconds },
	start_timeout = { "seconds", is_seconds },
	app = { "a table of your own", is_table },
}

local names = {}
for name in pairs(keys) do
	names[#names + 1] = name
end
table.sort(names)

-- The line where `key` first stands as a word, for messages.
local function line_of(text, key)
	local number = 0
	for line in (text .. "\n"):gmatch("(.-)\n") do
		number = number + 1
		if line:find("%f[%w_]" .. key .. "%f[^%w_]") then return number end
	end
	return 1
end

local function check(path, text, values)
	for key, value in pairs(values) do
		local where = ("%s:%d: "):format(path, line_of(text, tostring(key):gsub("%W", "%%%0")))
		local known = keys[key]
		if not known then
			error(where .. ("unknown setting '%s'%s"):format(key, suggest.hint(tostring(key), names)), 0)
		end
		if not known[2](value) then
			error(where .. ("'%s' must be %s"):format(key, known[1]), 0)
		end
	end
end

--- Returns the table of settings in `text`; raises one sentence that begins
-- with file and line.  Without a text: an empty table.
local function load_settings(path, text)
	if not text then
		return {}
	end
	local chunk, message = load(text, "@" .. path, "t")
	local ok, values = pcall(chunk or error, message, 0)
	if not ok then
		message = tostring(values)
		error(message:sub(1, #path) == path and message or path .. ": " .. message, 0)
	end
	if type(values) ~= "table" then
		error(("%s:%d: must return a table of settings, not a %s"):format(path, 1, type(values)), 0)
	end
	check(path, text, values)
	return values
end

return { load = load_settings }
