--- An answer that is raised: what tidegate.fail throws.

local failure_mt = { __name = "tidegate.failure" }

function failure_mt:__tostring()
	return ("%d %s"):format(self.status, self.message or "")
end

--- Raises a failure.  The handler ends, and the client gets the status with
-- the message and the headers; the log does not treat it as an error of the
-- handler.
local function raise(status, message, headers)
	if math.type(status) ~= "integer" or status < 400 or status > 599 then
		error("fail() takes a status from 400 to 599, not " .. tostring(status), 2)
	end
	if message ~= nil and type(message) ~= "string" then
		error("fail() takes a string as its message, not a " .. type(message), 2)
	end
	if headers ~= nil and type(headers) ~= "table" then
		error("fail() takes a table as its headers, not a " .. type(headers), 2)
	end
	error(setmetatable({ status = status, message = message, headers = headers }, failure_mt), 0)
end

-- What ends a handler that goes too far: the log has more to say of it.
local function ending(status, message)
	return function()
		return setmetatable({ status = status, message = message, logged = true }, failure_mt)
	end
end

local function is(value)
	return getmetatable(value) == failure_mt
end

return {
	raise = raise,
	is = is,
	late = ending(504, "no answer in time"),
	over_time = ending(503, "the handler ran for too long"),
	over_memory = ending(503, "the handler took too much memory"),
}
