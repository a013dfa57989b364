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

local function is_limit(value)
	return value == math.huge or math.tointeger(value) and value >= 1 or false
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

-- What an address to listen on may have beside it.
local listen_options = {
	proxy_protocol = { "true or false", one_of(true, false) },
}

-- 'listen' as a list of tables: {address =, and its options}.
local function listeners(values)
	local given = values.listen
	if type(given) == "string" then
		return { { address = given } }
	end
	if given == nil then
		return {}
	end
	for key in pairs(given) do
		if type(key) == "string" then -- one address with options, not a list
			return listeners({ listen = { given } })
		end
	end
	local list = {}
	for i, item in ipairs(given) do
		list[i] = { address = item }
		if type(item) == "table" then
			for key, value in pairs(item) do
				list[i][key == 1 and "address" or key] = value
			end
		end
	end
	return list
end

local function is_address(value)
	return is_string(value) or type(value) == "table" and is_string(value[1]) and #value == 1
end

local function is_listen(value)
	if type(value) ~= "table" then
		return is_string(value)
	end
	for key in pairs(value) do
		if type(key) == "string" then
			return is_address(value)
		end
	end
	for _, item in ipairs(value) do
		if not is_address(item) then return false end
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
	compress = { "true or false", one_of(true, false) },
	event_backend = { "the name of a libevent backend", is_string },
	debug_events = { "true or false", one_of(true, false) },
	shutdown_timeout = { "seconds", is_seconds },
	drain_timeout = { "seconds", is_seconds },
	start_timeout = { "seconds", is_seconds },
	head_timeout = { "seconds", is_seconds },
	body_timeout = { "seconds", is_seconds },
	idle_timeout = { "seconds", is_seconds },
	write_timeout = { "seconds", is_seconds },
	wait_timeout = { "seconds", is_seconds },
	time_limit = { "seconds", is_seconds },
	memory_limit = { "a whole number of bytes from 1, or math.huge", is_limit },
	state_limit = { "a whole number of bytes from 1, or math.huge", is_limit },
	body_limit = { "a whole number of bytes from 1, or math.huge", is_limit },
	connection_limit = { "a whole number from 1, or math.huge", is_limit },
	address_limit = { "a whole number from 1, or math.huge", is_limit },
	request_limit = { "a whole number from 1, or math.huge", is_limit },
	app = { "a table of your own", is_table },
}

-- The line where `key` first stands as a word, for messages.
local function line_of(text, key)
	local number = 0
	for line in (text .. "\n"):gmatch("(.-)\n") do
		number = number + 1
		if line:find("%f[%w_]" .. key .. "%f[^%w_]") then return number end
	end
	return 1
end

local function check_key(path, text, key, value, known, list)
	local where = ("%s:%d: "):format(path, line_of(text, tostring(key):gsub("%W", "%%%0")))
	if not known then
		error(where .. ("unknown setting '%s'%s"):format(key, suggest.hint(tostring(key), list)), 0)
	end
	if not known[2](value) then
		error(where .. ("'%s' must be %s"):format(key, known[1]), 0)
	end
end

local function names_of(known)
	local list = {}
	for name in pairs(known) do
		list[#list + 1] = name
	end
	table.sort(list)
	return list
end

local names, listen_names = names_of(keys), names_of(listen_options)

local function check(path, text, values)
	for key, value in pairs(values) do
		check_key(path, text, key, value, keys[key], names)
	end
	for _, listener in ipairs(listeners(values)) do
		for key, value in pairs(listener) do
			if key ~= "address" then
				check_key(path, text, key, value, listen_options[key], listen_names)
			end
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

return { load = load_settings, listeners = listeners }
