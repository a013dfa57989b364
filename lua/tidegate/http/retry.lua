--- Asking again what has failed: how often, when, after what.

local core = require("tidegate.core.http")
local timer = require("tidegate.timer")

local codes = { resolve = true, refused = true, unreachable = true, timeout = true, closed = true }
local usual = { 502, 503, 504 }
local most = 30 -- seconds between two attempts

local function check_number(options, name, otherwise, least)
	local value = options[name]
	if value == nil then
		return otherwise
	end
	if type(value) ~= "number" or value < least or value > 1000 then
		error(("the option '%s' of retries is a number of %g or more"):format(name, least), 0)
	end
	return value
end

local never = { times = 0 }

--- Of the option: a number, or { times =, delay =, statuses = }.
local function policy(option)
	if option == 0 then
		return never
	end
	local options = type(option) == "table" and option or { times = option }
	for name in pairs(options) do
		if name ~= "times" and name ~= "delay" and name ~= "statuses" then
			error(("unknown option '%s' of retries"):format(tostring(name)), 0)
		end
	end
	local statuses = {}
	for _, status in ipairs(options.statuses or usual) do
		statuses[status] = true
	end
	return {
		times = check_number(options, "times", 2, 0),
		delay = check_number(options, "delay", 0.1, 0),
		statuses = statuses,
	}
end

-- Twice as long each time, and a little by chance, so that not all come back
-- at once; what the origin asks for, if that is more.
local function pause(self, attempt, response)
	local seconds = self.delay * 2 ^ (attempt - 1) * (0.5 + math.random() / 2)
	local asked = response and tonumber((response.headers["retry-after"] or ""):match("^%d+$"))
	return math.min(math.max(seconds, asked or 0), most)
end

local function is_worth(policy_, request, response, code)
	if response then
		return policy_.statuses[response.status] and request:may_repeat("status")
	end
	return codes[code] and request:may_repeat(code)
end

--- Calls send(request) until it gives what is no reason to ask again.
local function run(request, send)
	local self, deadline = request.retry, request.plan.deadline
	for attempt = 1, self.times do
		local response, message, code = send(request)
		if not is_worth(self, request, response, code) then
			return response, message, code
		end
		local seconds = pause(self, attempt, response)
		if deadline and core.now() + seconds >= deadline then
			return response, message, code
		end
		if response then
			response:close()
		end
		timer.sleep(seconds)
	end
	return send(request)
end

return { policy = policy, run = run }
