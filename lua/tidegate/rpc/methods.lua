--- The methods that clients may call, and how their parameters become
-- arguments.

local core = require("tidegate.core")
local failure = require("tidegate.rpc.failure")
local json = require("tidegate.json")
local suggest = require("tidegate.suggest")

local arguments_most = 1000

-- The names that a list such as { "amount", "note?" } declares.
local function declared(params, name, level)
	local names, required = {}, {}
	if type(params) ~= "table" then
		error(("'params' of method '%s' is a list of names, not a %s"):format(name, type(params)), level)
	end
	for i, param in ipairs(params) do
		local word, mark = tostring(param):match("^([%a_][%w_]*)(%??)$")
		if not word then
			error(("'%s' of method '%s' is no name of a parameter"):format(tostring(param), name), level)
		end
		names[i], required[i] = word, mark == ""
	end
	if next(params, #names > 0 and #names or nil) ~= nil then
		error(("'params' of method '%s' is a list of names"):format(name), level)
	end
	return names, required
end

-- A function's own names, without a `request` in front.
local function own(fn)
	local names, is_vararg = core.parameters(fn)
	local takes_request = names[1] == "request"
	if takes_request then
		table.remove(names, 1)
	end
	return names, is_vararg, takes_request
end

local function check_keys(spec, name, level)
	for key in pairs(spec) do
		if key ~= "call" and key ~= "params" then
			local hint = suggest.hint(tostring(key), { "call", "params" })
			error(("unknown key '%s' of method '%s'%s"):format(tostring(key), name, hint), level)
		end
	end
	if type(spec.call) ~= "function" then
		error(("'call' of method '%s' is a function, not a %s"):format(name, type(spec.call)), level)
	end
end

local function method(name, spec, level)
	if type(name) ~= "string" then
		error("the name of a method is a string, not a " .. type(name), level)
	end
	if name:find("^rpc%.") then
		error(("'%s': names that begin with 'rpc.' belong to JSON-RPC itself"):format(name), level)
	end
	if type(spec) == "function" then
		spec = { call = spec }
	elseif type(spec) ~= "table" then
		error(("method '%s' is a function, or a table with 'call', not a %s"):format(name, type(spec)), level)
	end
	check_keys(spec, name, level + 1)
	local names, is_vararg, takes_request = own(spec.call)
	local most, required = is_vararg and arguments_most or #names, {}
	if spec.params ~= nil then
		names, required = declared(spec.params, name, level + 1)
		most = #names
	end
	local at = {}
	for i, word in ipairs(names) do
		at[word] = i
	end
	return {
		name = name,
		call = spec.call,
		takes_request = takes_request,
		names = names,
		at = at, -- by name
		required = required, -- by position
		most = most,
	}
end

--- Checks a table of methods; raises at `level`.
local function check(methods, level)
	if type(methods) ~= "table" then
		error("serve() takes a table of methods, not a " .. type(methods), level + 1)
	end
	local checked = {}
	for name, spec in pairs(methods) do
		checked[name] = method(name, spec, level + 2)
	end
	if not next(checked) then
		error("serve() takes a table with at least one method", level + 1)
	end
	return checked
end

-- null is no value: the argument is nil.
local function set(values, i, value)
	if value ~= json.null then
		values[i] = value
	end
end

local function by_name(self, params)
	local values = {}
	for name, value in pairs(params) do
		if not self.at[name] then
			error(failure.params(("no parameter '%s'%s"):format(name, suggest.hint(name, self.names))), 0)
		end
		set(values, self.at[name], value)
	end
	return values, #self.names
end

local function by_position(self, params)
	local values, count = {}, #params
	if count > self.most then
		error(failure.params(("%d parameters; %d are the most"):format(count, self.most)), 0)
	end
	for i = 1, count do
		set(values, i, params[i])
	end
	return values, count
end

--- What the method is called with: a table, and how many values it holds.
-- Raises a failure.
local function arguments(self, params, is_list, request)
	local values, count = (is_list and by_position or by_name)(self, params)
	for i, name in ipairs(self.names) do
		if self.required[i] and values[i] == nil then
			error(failure.params(("parameter '%s' is missing"):format(name)), 0)
		end
	end
	if self.takes_request then
		table.move(values, 1, count, 2)
		values[1] = request
		count = count + 1
	end
	return values, count
end

return { check = check, arguments = arguments }
