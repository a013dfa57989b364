--- tidegate.lua: a file that returns a table of settings.

local suggest = require("tidegate.suggest")
local tls_settings = require("tidegate.tls_settings")
local trust = require("tidegate.core.trust")

local function is_string(value)
	return type(value) == "string" and value ~= "" and not value:find("\0", 1, true)
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

local function is_between(least, most)
	return function(value)
		return math.tointeger(value) and value >= least and value <= most or false
	end
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

local function is_table(value)
	return type(value) == "table"
end

-- true, a port, or "https://HOST" with or without a port.
local function is_redirect(value)
	if math.type(value) == "integer" then
		return value >= 1 and value <= 65535
	end
	return type(value) == "boolean"
		or type(value) == "string" and value:find("^https://[%w.:%[%]-]*%w%]?$") ~= nil
end

local function is_trustee(value)
	return is_string(value) and trust.is_trustee(value)
end

local function is_server(value)
	return is_string(value) and trust.is_server(value)
end

-- One value or a list of them.  The second result is the first that is wrong.
local function list_of(check)
	return function(value)
		local list = type(value) == "table" and value or { value }
		for key, item in pairs(list) do
			if math.type(key) ~= "integer" or not check(item) then return false, item end
		end
		return #list <= 64
	end
end

local is_proxy_headers = list_of(one_of("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"))

local function is_header_name(value)
	return is_string(value) and not value:find("[^%w_-]")
end

-- What an address to listen on may have beside it.
local listen_options = {
	proxy_protocol = { "true or false", one_of(true, false) },
	redirect_https = { "true, a port, or an address such as 'https://www.example.org'", is_redirect },
	tls = { tls_settings.expected, is_table },
}

-- An option as it is handed on.
local forms = {
	redirect_https = function(value)
		if value == true or value == 443 then
			return ""
		end
		return math.type(value) == "integer" and ":" .. value or value or nil
	end,
	tls = tls_settings.normalize,
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

-- Every key, what it must be, and the check.
local keys = {
	listen = { "'ADDRESS:PORT', 'unix:PATH' or a list of them", is_listen },
	handlers = { "a folder", is_string },
	threads = { "an integer from 1 to 1024", is_count },
	pid_file = { "a file", is_string },
	user = { "a user, or 'user:group'", is_string },
	log_level = { "'debug', 'info', 'warn', 'error' or 'off'", one_of("debug", "info", "warn", "error", "off") },
	log_format = { "'auto', 'text' or 'json'", one_of("auto", "text", "json") },
	access_log = { "a file, '-' or 'off'", is_string },
	compress = { "true or false", one_of(true, false) },
	event_backend = { "the name of a libevent backend", is_string },
	debug_events = { "true or false", one_of(true, false) },
	trusted_proxies = {
		"addresses, networks such as '10.0.0.0/8', 'loopback', 'private' or 'unix'", list_of(is_trustee),
	},
	proxy_headers = {
		"'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', or a list of these; or 'forwarded'; or 'none'",
		function(value)
			if value == "forwarded" or value == "none" then return true end
			return is_proxy_headers(value)
		end,
	},
	request_id_header = { "the name of a header field", is_header_name },
	dns_servers = { "addresses such as '192.0.2.53' or '127.0.0.1:5353'", list_of(is_server) },
	shutdown_timeout = { "seconds", is_seconds },
	drain_timeout = { "seconds", is_seconds },
	start_timeout = { "seconds", is_seconds },
	stuck_timeout = { "seconds", is_seconds },
	head_timeout = { "seconds", is_seconds },
	body_timeout = { "seconds", is_seconds },
	idle_timeout = { "seconds", is_seconds },
	write_timeout = { "seconds", is_seconds },
	wait_timeout = { "seconds", is_seconds },
	line_limit = { "a whole number of bytes from 64 to 1048576", is_between(64, 1048576) },
	head_limit = { "a whole number of bytes from 64 to 1048576", is_between(64, 1048576) },
	field_limit = { "a whole number from 1 to 100", is_between(1, 100) },
	time_limit = { "seconds", is_seconds },
	time_slice = { "seconds", is_seconds },
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
	local ok, item = known[2](value)
	if not ok then
		local but = type(item) == "string" and (", not '%s'"):format((item:gsub("\0", "\\0"))) or ""
		error(where .. ("'%s' must be %s%s"):format(key, known[1], but), 0)
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

-- An address's `tls`: its keys are found by their own names.
local function check_tls(path, text, listener)
	local message = tls_settings.check(listener.tls, function(key, value, known)
		check_key(path, text, key, value, known[key], names_of(known))
	end)
	if not message and listener.redirect_https then
		message = "'redirect_https' is for an address without 'tls'"
	end
	if message then
		error(("%s:%d: %s"):format(path, line_of(text, "tls"), message), 0)
	end
end

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
		if listener.tls then
			check_tls(path, text, listener)
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

--- The addresses to listen on, each a table: address =, and its options.
local function finished_listeners(values)
	local list = listeners(values)
	for _, listener in ipairs(list) do
		for key, form in pairs(forms) do
			listener[key] = listener[key] and form(listener[key])
		end
	end
	return list
end

return { load = load_settings, listeners = finished_listeners }
