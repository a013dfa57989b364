--- The handlers of one generation: loads them all, finds the one that serves
-- a request, and lists them.

local core = require("tidegate.core")
local handler_file = require("tidegate.handler_file")
local json = require("tidegate.json")
local lifecycle = require("tidegate.lifecycle")
local misnamed = require("tidegate.misnamed")
local place = require("tidegate.place")
local problem = require("tidegate.problem")
local route_file = require("tidegate.route_file")
local routers = require("tidegate.router")
local source = require("tidegate.core.source")
local suggest = require("tidegate.suggest")

local standard = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }

local layers_most = 100 -- around one handler: each takes a level of Lua's C stack, which has 200

local loaded = {} -- every route, in the order of their files

-- What runs for one method of a route: { function, does it take a response? }
local function entry(route, handler)
	local layers = #route.middleware
	if layers > 0 then
		local functions = { handler }
		for i = layers, 1, -1 do
			functions[#functions + 1] = route.middleware[i]
		end
		return { core.chain(functions), true }
	end
	local parameters, takes_more = core.arity(handler)
	return { handler, parameters > 1 or takes_more }
end

local function allowed(route)
	local methods = { OPTIONS = true }
	for method in pairs(route.methods) do
		methods[method] = true
	end
	methods.HEAD = methods.HEAD or methods.GET
	local list = {}
	for method in pairs(methods) do
		list[#list + 1] = method
	end
	table.sort(list)
	return table.concat(list, ", ")
end

-- Answers for methods a route does not name go through its middleware too: a
-- guard guards them, and one for CORS may answer OPTIONS.
local function fallback(route, method)
	local allow = allowed(route)
	if method == "HEAD" and route.methods.GET then
		return entry(route, route.methods.GET)
	end
	if method == "OPTIONS" then
		return entry(route, function() return 204, nil, { allow = allow } end)
	end
	local status = standard[method] and 405 or 501
	return entry(route, function(request)
		local _, body, headers = problem.answer(request, status)
		headers = headers or {}
		headers.allow = allow
		return status, body, headers
	end)
end

local function entries_of(route)
	if route.any then
		local any = entry(route, route.any)
		return setmetatable({ GET = any, POST = any }, { __index = function() return any end })
	end
	local entries = {}
	for method, handler in pairs(route.methods) do
		entries[method] = entry(route, handler)
	end
	return setmetatable(entries, { __index = function(_, method) -- made when it is asked for first
		local kind = standard[method] and method or ""
		local found = rawget(entries, kind) or fallback(route, kind)
		entries[kind] = found
		return found
	end })
end

local middleware_name = "_middleware.lua"

-- Middleware by folder: "" is the top.
local function load_middleware(files, errors)
	local by_folder = {}
	for _, file in ipairs(files) do
		local folder = file.name == middleware_name and "" or
			file.name:sub(-#middleware_name - 1) == "/" .. middleware_name and file.name:sub(1, -#middleware_name - 2)
		if folder then
			local ok, result = pcall(handler_file.middleware, file)
			if ok then
				by_folder[folder] = { file = file.path, functions = result }
			else
				errors[#errors + 1] = result
			end
		end
	end
	return by_folder
end

-- The middleware around a route, outermost first, and the files it is from.
local function around(route, name, by_folder)
	local functions, files = {}, {}
	local function take(folder)
		local found = by_folder[folder]
		if found then
			table.move(found.functions, 1, #found.functions, #functions + 1, functions)
			files[#files + 1] = found.file
		end
	end
	if next(by_folder) then
		take("")
		for at in name:gmatch("()/") do
			take(name:sub(1, at - 1))
		end
	end
	table.move(route.use, 1, #route.use, #functions + 1, functions)
	route.middleware, route.middleware_files = functions, files
end

-- `segments` are those of `template`, the path that the file's name stands for.
local function add(router, file, route, errors, template, segments)
	local entries = entries_of(route)
	for _, path in ipairs(route.paths) do
		-- By number what each request asks for; bind/bind.h has the names.
		local target = { path, route.body_limit, route.wait or false, route.time or false, route.memory or false, entries }
		target.route = route
		local ok, message = router:add(path, target, route.host, route.file, path == template and segments)
		if not ok then
			errors[#errors + 1] = ("%s:%d: %s"):format(route.file, handler_file.path_line(file, route), message)
		end
	end
end

local function load_routes(router, files, by_folder, errors)
	for _, file in ipairs(files) do
		local template, found = route_file.template(file.name)
		local base = template and "" or file.name:match("^.*/(.*)$") or file.name
		if base:find("^_") and base ~= middleware_name and suggest.nearest(base, { middleware_name }) then
			errors[#errors + 1] = ("%s:1: is this a '_middleware.lua'? no other name wraps routes"):format(file.path)
		end
		if base == "_tcp.lua" then
			local ok, message = pcall(handler_file.service, file)
			if not ok then
				errors[#errors + 1] = message
			end
		end
		if template then
			local ok, route = pcall(handler_file.route, file, template)
			if ok then
				misnamed.check(file, route)
				around(route, file.name, by_folder)
				if #route.middleware > layers_most then
					errors[#errors + 1] = ("%s:1: more than %d functions of middleware are around it"):format(file.path, layers_most)
				end
				loaded[#loaded + 1] = route
				add(router, file, route, errors, template, found)
			else
				errors[#errors + 1] = route
			end
		elseif found:find("^malformed") then
			errors[#errors + 1] = ("%s:1: %s"):format(file.path, found)
		end
	end
end

-- What no route serves still passes the middleware of the top folder, so that
-- it may count, guard, or add its header fields.
local function not_found(by_folder)
	local top = by_folder[""]
	local route = { middleware = top and top.functions or {} }
	return entry(route, function(request)
		return problem.answer(request, 404)
	end)
end

-- OPTIONS * asks of the server as a whole (RFC 9110, 9.3.7).
local function whole_server(by_folder)
	local top = by_folder[""]
	local allow = {}
	for method in pairs(standard) do
		allow[#allow + 1] = method
	end
	table.sort(allow)
	return entry({ middleware = top and top.functions or {} }, function()
		return 204, nil, { allow = table.concat(allow, ", ") }
	end)
end

--- Loads every file.  Returns the functions that find a route and that answer
-- failures, whether routes differ by host, and what is found at once: the
-- routes of paths without parameters; or nil and a report of all errors.
local function load_all()
	local errors = {}
	local files = source.list()
	local router = routers.new()
	local ok, message = pcall(require, "tidegate")
	if not ok then
		return nil, message
	end
	local by_folder = load_middleware(files, errors)
	load_routes(router, files, by_folder, errors)
	if #errors > 0 then
		return nil, table.concat(errors, "\n")
	end
	lifecycle.loaded()
	core.lock()

	local missing, whole, match = not_found(by_folder), whole_server(by_folder), router.match
	local function find(method, path, host)
		local target, params = match(router, path, host)
		if not target then
			local other = path == "*" and whole or missing
			return other[1], nil, nil, other[2]
		end
		local found = target[6][method]
		return found[1], target, params, found[2]
	end
	return find, place.completing(problem.failed, find), router.by_host or false, router:done()
end

local function methods_of(route)
	if route.any then
		return { "ANY" }
	end
	local list = {}
	for method in pairs(route.methods) do
		list[#list + 1] = method
	end
	table.sort(list)
	return list
end

local function rows()
	local list = {}
	for _, route in ipairs(loaded) do
		for _, path in ipairs(route.paths) do
			list[#list + 1] = {
				methods = json.array(methods_of(route)),
				path = path,
				host = route.host,
				file = route.file,
				middleware = json.array(route.middleware_files),
			}
		end
	end
	table.sort(list, function(a, b)
		return a.path == b.path and (a.host or "") < (b.host or "") or a.path < b.path
	end)
	return list
end

local function cells(row)
	return {
		table.concat(row.methods, " "),
		(row.host or "") .. row.path,
		row.file,
		table.concat(row.middleware, " "),
	}
end

--- All routes, as a table for people or as JSON.
local function routes(as_json)
	local list = rows()
	if as_json then
		return json.encode(json.array(list), { indent = 2, sort = true }) .. "\n"
	end
	local width, lines = { 0, 0, 0, 0 }, {}
	for _, row in ipairs(list) do
		for i, cell in ipairs(cells(row)) do
			width[i] = math.max(width[i], #cell)
		end
	end
	for _, row in ipairs(list) do
		local texts = cells(row)
		for i, cell in ipairs(texts) do
			texts[i] = cell .. (" "):rep(width[i] - #cell)
		end
		lines[#lines + 1] = table.concat(texts, "  "):gsub("%s+$", "")
	end
	return table.concat(lines, "\n") .. "\n"
end

return { load = load_all, routes = routes }
