--- What a server answers: its text, as results and errors.  Nothing of it is
-- believed: what is no answer to our call is `nil, message, "malformed"`.

local json = require("tidegate.json")
local message = require("tidegate.rpc.message")

local function malformed(why, ...)
	return nil, "the answer " .. why:format(...), "malformed"
end

local function is_good(status)
	return 200 <= status and status <= 299
end

-- A status that is no success, where nothing else is said of the failure.
local function bad(status)
	return nil, ("the server answers with status %d"):format(status), "status", status
end

-- nil, message, code, data of the member `error`.
local function failed(why)
	if type(why) == "string" then -- as servers of 1.0 may say it
		return nil, why, "error"
	elseif not message.is_object(why) or math.type(why.code) ~= "integer" or type(why.message) ~= "string" then
		return malformed("has an error without code and message")
	end
	return nil, why.message, why.code, why.data
end

local function settle(answer)
	if answer.error ~= nil and answer.error ~= json.null then
		return failed(answer.error)
	elseif answer.result == nil then
		return malformed("has neither a result nor an error")
	end
	return answer.result
end

-- Errors of what could not even be read have no id.
local function is_about_all(answer)
	return message.is_object(answer) and (answer.id == nil or answer.id == json.null)
		and answer.error ~= nil and answer.error ~= json.null
end

--- The result of the call `id`; or nil, message, code, data.
local function read(text, status, id)
	local answer, why = json.decode(text)
	local is_answer = message.is_object(answer) and (answer.result ~= nil or answer.error ~= nil)
	if not is_good(status) and not (is_answer and answer.error ~= nil and answer.error ~= json.null) then
		return bad(status)
	elseif answer == nil then
		return malformed("is no JSON: %s", why)
	elseif not is_answer then
		return malformed("is none of JSON-RPC")
	elseif answer.id ~= id and not is_about_all(answer) then
		return malformed("is to another call")
	end
	return settle(answer)
end

--- True, if a notification has arrived; or nil, message, code.
local function read_none(status)
	if not is_good(status) then
		return bad(status)
	end
	return true
end

local function keep(results, errors, key, result, ...)
	if result == nil then
		local what, code, data = ...
		errors[key] = { message = what, code = code, data = data }
	else
		results[key] = result
	end
end

--- Tables of results and errors, under their keys; or nil, message, code,
-- data.  `keys` are those of the calls, by id.
local function read_all(text, status, keys)
	if next(keys) == nil then
		local ok, why, code, data = read_none(status)
		if not ok then
			return nil, why, code, data
		end
		return {}, {}
	end
	local list, why = json.decode(text)
	if is_about_all(list) then
		return failed(list.error)
	elseif not is_good(status) and not message.is_array(list) then
		return bad(status)
	elseif list == nil then
		return malformed("is no JSON: %s", why)
	elseif not message.is_array(list) then
		return malformed("is no batch")
	end
	local results, errors, left = {}, {}, {}
	for id, key in pairs(keys) do
		left[id] = key
	end
	for _, answer in ipairs(list) do
		local key = message.is_object(answer) and answer.id ~= nil and left[answer.id]
		if key then
			left[answer.id] = nil
			keep(results, errors, key, settle(answer))
		elseif not is_about_all(answer) then
			return malformed("has an answer to another call")
		end
	end
	for _, key in pairs(left) do
		keep(results, errors, key, malformed("has none to this call"))
	end
	return results, errors
end

return { read = read, read_none = read_none, read_all = read_all }
