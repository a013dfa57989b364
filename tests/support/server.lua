--- A gateway that serves a project on a port of the kernel's choice.

local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")

local server_methods = setmetatable({}, { __index = program.methods })
local server_mt = { __name = "server", __index = server_methods, __gc = program.collect }

local clean = { "tasks", "exchanges", "timers", "connections", "states", "subscriptions", "sockets" }

function server_methods:await_listeners(count)
	program.await(function() return "a listener; the log is\n" .. self:log() end, function()
		local log = self:log()
		assert(not log:find("^tidegate: "), log)
		self.port = tonumber(log:match("listening on https?://127%.0%.0%.1:(%d+)\n"))
		local _, listeners = log:gsub("listening on [^\n]+\n", "")
		return listeners == count and log:match(".*listening on [^\n]+\n(.*)"):find("\n") -- and the routes
	end)
end

--- One that was started another way, in a project that stays.
local function adopt(child, project)
	child.project, child.keep_project = project, true
	return setmetatable(child, server_mt)
end

--- Starts it.  `options`: files, project, threads, flags (a list), listen,
-- listeners (how many tidegate.lua has, when `listen` is empty), environment.
local function start(options)
	local project = options.project or projects.new(options.files)
	local arguments = { "serve", project.path, "--threads", options.threads or 1 }
	if not program.measures_memory then -- a sanitizer's program is slower
		table.move({ "--time-limit", "60" }, 1, 2, #arguments + 1, arguments)
	end
	for _, address in ipairs(options.listen or { "127.0.0.1:0" }) do
		table.move({ "--listen", address }, 1, 2, #arguments + 1, arguments)
	end
	table.move(options.flags or {}, 1, #(options.flags or {}), #arguments + 1, arguments)
	local self = setmetatable(program.start(arguments, options.environment), server_mt)
	self.project = project
	self.keep_project = options.project ~= nil
	self:await_listeners(options.listeners or math.max(1, #(options.listen or {})))
	return self
end

function server_methods:connect(where)
	return client.connect(where or self.port)
end

--- One request on a connection of its own.
function server_methods:fetch(...)
	local connection = self:connect()
	local response = connection:fetch(...)
	connection:close()
	return response
end

function server_methods:get(target, headers)
	return self:fetch("GET", target, headers)
end

--- `tidegate reload`: output, errors, exit code.
function server_methods:reload()
	return program.run("reload", self.project.path)
end

--- Writes files, then reloads; it must be accepted.
function server_methods:replace(files)
	for name, text in pairs(files) do
		self.project:write(name, text)
	end
	local output, errors, code = self:reload()
	assert(code == 0, errors)
	return output
end

--- What still lives, as the last record of the log says.
local function census(log)
	return assert(log:match('[^\n]*"msg":"stopped"[^\n]*'), "no census in the log:\n" .. log)
end

--- Stops it as a service manager would; it must end well and leave nothing.
function server_methods:stop(signal)
	self:signal(signal or "TERM")
	return self:ended()
end

--- Checks a gateway that was told to stop.
function server_methods:ended()
	local code = self:wait()
	if not self.keep_project then
		self.project:delete()
	end
	assert(code == 0, ("it ended with %s:\n%s"):format(code, self.last_log))
	assert(not self.last_log:find("Sanitizer"), self.last_log)
	assert(not self.last_log:find("runtime error:"), self.last_log)
	assert(self.may_lose_workers or not self.last_log:find("worker %d+ died"), self.last_log)
	local left = census(self.last_log)
	for _, noun in ipairs(clean) do
		assert(left:find(('"%s":0[,}]'):format(noun)), left)
	end
	return self.last_log
end

return { start = start, adopt = adopt }
