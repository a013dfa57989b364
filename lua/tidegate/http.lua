--- Requests to others; see docs/http.md.

local attempt = require("tidegate.http.attempt")
local checks = require("tidegate.http.options")
local requests = require("tidegate.http.request")
local retry = require("tidegate.http.retry")
local task = require("tidegate.task")

local redirecting = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function run(request)
	local followed = 0
	while true do
		local response, message, code = request:secure()
		if response then
			response, message, code = retry.run(request, attempt.run)
		end
		if not response or request.redirects == 0 or not redirecting[response.status] or not response.headers.location then
			return response, message, code
		end
		response:close()
		if followed == request.redirects then
			return nil, ("more than %d redirects"):format(followed), "redirects"
		end
		followed = followed + 1
		local ok
		ok, message, code = request:redirect(response)
		if not ok then
			return nil, message, code
		end
	end
end

local nothing = {}

local function prepare(method, url, options, defaults)
	if options then
		checks.check(options, true)
	end
	options = options or nothing
	return requests.new(method or options.method or "GET", url or options.url, options, defaults)
end

-- To be called in a tail: level 2 is who made the mistake.
local function send(method, url, options, defaults)
	local ok, request = pcall(prepare, method, url, options, defaults)
	if not ok then
		error(request, 2)
	end
	return run(request)
end

local function check_list(list, options)
	local most = options and options.concurrency or 16
	if type(list) ~= "table" then
		error(("all() takes a table of requests, not a %s"):format(type(list)), 3)
	end
	if math.type(most) ~= "integer" or most < 1 then
		error("concurrency is a number of requests", 3)
	end
	for name in pairs(options or {}) do
		if name ~= "concurrency" then
			error(("unknown option '%s' of all()"):format(tostring(name)), 3)
		end
	end
	return most
end

-- All are checked before any is sent.
local function prepare_all(list, defaults)
	local ready = {}
	for key, options in pairs(list) do
		if type(options) == "string" then
			options = { url = options }
		end
		local ok, request = pcall(prepare, nil, nil, options, defaults)
		if not ok then
			error(("request %s: %s"):format(key, request), 3)
		end
		ready[key] = request
	end
	return ready
end

local function send_all(list, defaults, options)
	local places = task.semaphore(check_list(list, options))
	local responses, errors, work = {}, {}, {}
	for key, request in pairs(prepare_all(list, defaults)) do
		work[#work + 1] = function()
			local _ <close> = places:acquire()
			local response, message, code = run(request)
			responses[key] = response
			if not response then
				errors[key] = { message = message, code = code }
			end
		end
	end
	task.all(work)
	return responses, errors
end

local client_methods = {}
local client_mt = { __name = "tidegate.http.client", __index = client_methods }

local function prepare_client(options)
	checks.check(options, false)
	return requests.defaults_of(options)
end

--- An object with the functions of this module as methods; what the options
-- say is said for each of its requests.
local function client(options)
	local ok, defaults = pcall(prepare_client, options or nothing)
	if not ok then
		error(defaults, 2)
	end
	return setmetatable({ defaults = defaults }, client_mt)
end

function client_methods:request(options)
	return send(nil, nil, options, self.defaults)
end

function client_methods:all(list, options)
	return send_all(list, self.defaults, options)
end

local none = requests.defaults_of(nothing)
local http = {
	client = client,
	request = function(options) return send(nil, nil, options, none) end,
	all = function(list, options) return send_all(list, none, options) end,
}

for _, method in ipairs({ "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD" }) do
	local name = method:lower()
	http[name] = function(url, options) return send(method, url, options, none) end
	client_methods[name] = function(self, url, options) return send(method, url, options, self.defaults) end
end

return http
