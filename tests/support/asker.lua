--- A gateway whose handler runs the code it is sent, to ask others by
-- tidegate.http; what the code returns comes back, joined by "|".

local server = require("tests.support.server")

local run = [[
local http = require("tidegate.http")
local buffer = require("tidegate.buffer")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

return { limits = { wait = 600, memory = 64 * 2^20 }, POST = function(request)
	local text = "local http, origin, task, timer, buffer = ... " .. request:text()
	local code = assert(load(text, "=run"))
	local values = table.pack(code(http, request.headers["x-origin"], task, timer, buffer))
	for i = 1, values.n do
		values[i] = tostring(values[i])
	end
	return table.concat(values, "|")
end }]]

local asker_methods = {}
local asker_mt = { __name = "asker", __index = asker_methods }

--- `origin` is what code finds under that name, a URL; `options` are those of
-- server.start.
local function start(origin, options)
	options = options or {}
	options.files = options.files or {}
	options.files["handlers/run.lua"] = run
	return setmetatable({ gateway = server.start(options), origin = origin }, asker_mt)
end

--- Sends the code; a client that may wait for the response.
function asker_methods:begin(code)
	return self.gateway:connect():ask("POST", "/run", { "Accept: text/plain", "X-Origin: " .. (self.origin or "none") }, code)
end

--- What a client that began hears, and its end.
function asker_methods.finish(_, client)
	local response = client:response()
	client:close()
	return response.body, response.status
end

--- What the code returns.
function asker_methods:run(code)
	local body, status = self:finish(self:begin(code))
	assert(status == 200, ("%d %s\n%s"):format(status, body, self.gateway:log()))
	return body
end

--- The message of what the code raises, as the log has it.
function asker_methods:raises(code)
	return self:run(("local ok, message = pcall(function() %s end) assert(not ok, 'nothing was raised') return message"):format(code))
end

function asker_methods:stop()
	return self.gateway:stop()
end

return { start = start }
