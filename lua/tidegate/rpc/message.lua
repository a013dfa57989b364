--- What goes over the wire: calls, as they are read, and answers, as text.

local failure = require("tidegate.rpc.failure")
local json = require("tidegate.json")

local array_mt = getmetatable(json.array({}))
local sorted = { sort = true }

-- Of a decoded value: an empty array is no object.
local function is_array(value)
	return type(value) == "table" and getmetatable(value) == array_mt
end

local function is_object(value)
	return type(value) == "table" and getmetatable(value) ~= array_mt
end

-- Can it be sent back exactly as it came?  A float as large as this may have
-- been an integer of more than 64 bits.
local function is_id(id)
	return id == json.null or type(id) == "string" or math.type(id) == "integer"
		or math.type(id) == "float" and -2 ^ 53 < id and id < 2 ^ 53
end

-- 2, 1, or nil.
local function version_of(value, version1)
	if value.jsonrpc == "2.0" then
		return 2
	elseif version1 and (value.jsonrpc == nil or value.jsonrpc == "1.0") then
		return 1
	end
end

-- What is wrong with an object as a call.
local function fault(value, version)
	local params = value.params
	if not version then
		return 'jsonrpc must be "2.0"'
	elseif value.id ~= nil and not is_id(value.id) then
		return "id must be a string, a number of at most 64 bits or null"
	elseif type(value.method) ~= "string" then
		return "method must be a string"
	elseif params ~= nil and type(params) ~= "table" and not (version == 1 and params == json.null) then
		return "params must be an array or an object"
	end
end

--- Reads one call: { version, id, is_notification, method, params, is_list }.
-- Whatever is wrong with it is in its `failure`.
local function read(value, version1)
	if not is_object(value) then
		return { version = 2, id = json.null, failure = failure.invalid("a call is an object") }
	end
	local version, id = version_of(value, version1), value.id
	local why = fault(value, version)
	local call = {
		version = version or 2,
		id = id ~= nil and is_id(id) and id or json.null,
		failure = why and failure.invalid(why),
		method = value.method,
	}
	if version == 1 then -- there a notification has null as its id
		call.is_notification = not why and call.id == json.null
	else
		call.is_notification = not why and id == nil
	end
	local has_params = type(value.params) == "table"
	call.params = has_params and value.params or {}
	call.is_list = not has_params or is_array(value.params)
	return call
end

--- A result as text; raises if JSON has no form for it.
local function encode(result)
	return json.encode(result, sorted)
end

-- In the order of the specification, for people.
local function wrap(call, result, error)
	if call.version == 1 then
		return ('{"result":%s,"error":%s,"id":%s}'):format(result or "null", error or "null", json.encode(call.id))
	end
	local name, text = result and "result" or "error", result or error
	return ('{"jsonrpc":"2.0","%s":%s,"id":%s}'):format(name, text, json.encode(call.id))
end

--- The answer to a call with a result, which is text already.
local function result(call, text)
	return wrap(call, text)
end

--- The answer to a call that has failed; raises if JSON has no form for its
-- data.
local function failed(call, why)
	local data = why.data ~= nil and ',"data":' .. encode(why.data) or ""
	return wrap(call, nil, ('{"code":%d,"message":%s%s}'):format(why.code, encode(why.message), data))
end

--- The call whose answer says what is wrong with the whole content.
local nobody = { version = 2, id = json.null }

return {
	is_array = is_array,
	is_object = is_object,
	read = read,
	encode = encode,
	result = result,
	failed = failed,
	nobody = nobody,
}
