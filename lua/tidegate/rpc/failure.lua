--- An error of a call: what rpc.fail throws, and those that JSON-RPC defines.

local failure_mt = { __name = "tidegate.rpc.failure" }

function failure_mt:__tostring()
	return ("%d %s"):format(self.code, self.message)
end

local function new(code, message, data)
	return setmetatable({ code = code, message = message, data = data }, failure_mt)
end

--- Raises a failure: the call is answered with it, and the log does not hear
-- of it.
local function raise(code, message, data)
	if math.type(code) ~= "integer" then
		error("fail() takes an integer as its code, not " .. tostring(code), 2)
	end
	if type(message) ~= "string" then
		error("fail() takes a string as its message, not a " .. type(message), 2)
	end
	error(new(code, message, data), 0)
end

local function is(value)
	return getmetatable(value) == failure_mt
end

-- With the messages of the specification, 5.1.
local function maker(code, message)
	return function(data)
		return new(code, message, data)
	end
end

return {
	new = new,
	raise = raise,
	is = is,
	parse = maker(-32700, "Parse error"),
	invalid = maker(-32600, "Invalid Request"),
	no_method = maker(-32601, "Method not found"),
	params = maker(-32602, "Invalid params"),
	internal = maker(-32603, "Internal error"),
}
