--- One file of handlers/: loads it and says what is wrong with it.

local core = require("tidegate.core")
local place = require("tidegate.place")
local serve = require("tidegate.core.service")
local source = require("tidegate.core.source")
local suggest = require("tidegate.suggest")

local options = {
	path = true, -- a template, or a list of them
	host = true,
	use = true, -- middleware of this route only
	limits = true,
}

local limits = {
	body = true, -- bytes of content; more is answered with 413
	time = true, -- seconds that Lua may run without a wait; more is answered with 503
	memory = true, -- bytes that a request may add to its Lua state; more is answered with 503
	wait = true, -- seconds to begin the answer; later is answered with 504
}

local known_methods = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }
local default_body = core.body_limit

local all_names = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "path", "host", "use", "limits" }

-- The line where `word` first stands; the last `return` without one.
local function line_of(file, word)
	local number, last = 0, 1
	for line in (source.text(file.name) .. "\n"):gmatch("(.-)\n") do
		number = number + 1
		if word and line:find("%f[%w_]" .. word:gsub("%W", "%%%0") .. "%f[^%w_]") then return number end
		if line:find("%f[%w_]return%f[^%w_]") then last = number end
	end
	return last
end

local function complain(file, word, message, ...)
	error(("%s:%d: %s"):format(file.path, line_of(file, word), message:format(...)), 0)
end

-- Of `return f(...)` at the end of a file: while f runs, Lua does not know any
-- more who has called it.
local function tail_call(file)
	if debug.traceback():find("in main chunk", 1, true) then
		return file.path
	end
	local number, last = 0, nil
	for line in (source.text(file.name) .. "\n"):gmatch("(.-)\n") do
		number = number + 1
		last = line:find("^return%f[^%w_]") and number or last
	end
	return last and ("%s:%d"):format(file.path, last) or file.path
end

-- What was raised, with a place in front if it has none.
local function placed(file, err, where)
	if type(err) == "table" and not (getmetatable(err) or {}).__tostring then
		err = "it raised a table, not a message"
	end
	err = tostring(err)
	return err:find("^[^\n]-:%d+: ") and err or (where or file.path) .. ": " .. err
end

--- Runs the file; returns what it returns.  Raises with file and line, and a
-- traceback if the file itself raised.
local function run(file)
	local chunk, message = source.load(file.name)
	if not chunk then
		error(placed(file, message), 0)
	end
	local ok, result = xpcall(chunk, function(err)
		if type(err) == "string" and err:find("^[^\n]-:%d+: module '[^']*' not found: [^\n]*$") then
			return err -- where it was required says all
		end
		err = place.users(err, tail_call(file))
		return debug.traceback(placed(file, err, tail_call(file)), 2):gsub("\n%s+%[C%]: in function 'xpcall'.*", "")
	end)
	if not ok then
		error(result == "not enough memory" and placed(file, result) or result, 0)
	end
	return result
end

local function functions(file, value, name)
	local list = type(value) == "function" and { value } or value
	if type(list) ~= "table" or #list == 0 then
		complain(file, name, "%s must be a function or a list of functions", name or "it")
	end
	for _, fn in ipairs(list) do
		if type(fn) ~= "function" then
			complain(file, name, "%s holds a %s, not only functions", name or "it", type(fn))
		end
	end
	return list
end

--- Returns the list of functions a `_middleware.lua` gives.
local function middleware(file)
	local result = run(file)
	if type(result) ~= "function" and type(result) ~= "table" then
		complain(file, nil, "must return a function (or a list of them), not a %s", type(result))
	end
	return functions(file, result)
end

local function is_method(key)
	return type(key) == "string" and key:find("^[A-Z][A-Z-]*$") ~= nil
end

local function check_key(file, key, value)
	if options[key] then
		return
	end
	if not is_method(key) then
		complain(file, tostring(key), "unknown key '%s'%s", tostring(key), suggest.hint(tostring(key), all_names))
	end
	local near = suggest.nearest(key, known_methods)
	if near and near ~= key then
		complain(file, key, "unknown method '%s'; did you mean '%s'?", key, near)
	end
	if type(value) ~= "function" then
		complain(file, key, "'%s' must be a function, not a %s", key, type(value))
	end
end

local function check_limits(file, given)
	if type(given) ~= "table" then
		complain(file, "limits", "'limits' must be a table, not a %s", type(given))
	end
	for key, value in pairs(given) do
		if not limits[key] then
			local hint = suggest.hint(tostring(key), { "body", "memory", "time", "wait" })
			complain(file, tostring(key), "unknown limit '%s'%s", tostring(key), hint)
		end
		if type(value) ~= "number" or value ~= value or value < 0 then
			complain(file, key, "limit '%s' must be a number from 0", key)
		end
	end
end

-- Bytes as an integer that C can take; math.huge is no limit.
local function body_limit(given)
	local bytes = given and given.body or default_body
	return bytes >= math.maxinteger and math.maxinteger or math.floor(bytes)
end

local function seconds(given, name, default)
	local value = given and given[name] or default
	return value and value + 0.0
end

local function templates(file, value)
	local list = type(value) == "string" and { value } or value
	if type(list) ~= "table" or #list == 0 then
		complain(file, "path", "'path' must be a template or a list of templates")
	end
	for _, template in ipairs(list) do
		if type(template) ~= "string" then
			complain(file, "path", "'path' holds a %s, not only templates", type(template))
		end
	end
	return list
end

--- Returns {file, methods, paths, host, use, body_limit, wait} of a handler file, or
-- raises.  `template` is the path its name stands for.
local function route(file, template)
	local result = run(file)
	if type(result) == "function" then
		return { file = file.path, any = result, methods = {}, paths = { template }, use = {}, body_limit = default_body }
	end
	if type(result) ~= "table" then
		complain(file, nil, "must return a function or a table of methods, not a %s", type(result))
	end
	local methods = {}
	for key, value in pairs(result) do
		check_key(file, key, value)
		if is_method(key) then
			methods[key] = value
		end
	end
	if not next(methods) then
		complain(file, nil, "has no method: a table needs a function such as GET")
	end
	if result.host ~= nil and type(result.host) ~= "string" then
		complain(file, "host", "'host' must be a string, not a %s", type(result.host))
	end
	if result.limits ~= nil then
		check_limits(file, result.limits)
	end
	return {
		file = file.path,
		methods = methods,
		paths = result.path == nil and { template } or templates(file, result.path),
		host = result.host,
		use = result.use == nil and {} or functions(file, result.use, "use"),
		body_limit = body_limit(result.limits),
		wait = seconds(result.limits, "wait"),
		time = result.limits and (result.limits.time or result.limits.memory) and
			seconds(result.limits, "time", core.time_limit),
		memory = result.limits and (result.limits.memory or core.memory_limit) + 0.0,
	}
end

--- The line of a handler file that says which paths its route serves.
local function path_line(file, of)
	return of.any and 1 or line_of(file, "path")
end

local service_keys = { listen = "string", serve = "function", connections = "number" }

--- Has the function of a `_tcp.lua` serve an address.
local function service(file)
	local result = run(file)
	if type(result) ~= "table" then
		complain(file, nil, "must return a table with 'listen' and 'serve', not a %s", type(result))
	end
	for key, value in pairs(result) do
		local kind = service_keys[key]
		if not kind then
			complain(file, tostring(key), "unknown key '%s'%s", tostring(key),
				suggest.hint(tostring(key), { "connections", "listen", "serve" }))
		end
		if type(value) ~= kind then
			complain(file, key, "'%s' must be a %s, not a %s", key, kind, type(value))
		end
	end
	if not result.listen or not result.serve then
		complain(file, nil, "has no '%s'", result.listen and "serve" or "listen")
	end
	local most = result.connections or 1000
	if math.type(most) ~= "integer" or most < 1 then
		complain(file, "connections", "'connections' must be an integer from 1")
	end
	local ok, message = serve(result.listen, result.serve, most)
	if not ok then
		complain(file, "listen", "cannot listen on '%s': %s", result.listen, message)
	end
end

return { middleware = middleware, path_line = path_line, route = route, service = service }
