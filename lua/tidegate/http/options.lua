--- The options of clients and requests: which there are, and what they may be.

local suggest = require("tidegate.suggest")

local function positive(value)
	return type(value) == "number" and value > 0 and value <= 1e9
end

local function count(value)
	return math.type(value) == "integer" and value >= 0 and value <= 1000000
end

local function of(kind)
	return function(value)
		return type(value) == kind
	end
end

local function fields(value)
	return type(value) == "table" or type(value) == "userdata"
end

local function retries(value)
	return type(value) == "table" or count(value)
end

local function auth(value)
	return type(value) == "table" and type(value[1]) == "string" and type(value[2]) == "string"
end

local function text(value)
	return type(value) == "string" and value ~= "" and not value:find("%z")
end

local any = function() return true end

local seconds, string, table_ = { "seconds", positive }, { "a string", of("string") }, { "a table", of("table") }

-- By name: what it is, a check; the third: only of requests.
local known = {
	auth = { "{ USER, PASSWORD }", auth },
	bearer = string,
	connections = { "a number of connections", function(value) return count(value) and value > 0 end },
	connect_timeout = seconds,
	decode = { "a boolean", of("boolean") },
	first_byte_timeout = seconds,
	headers = { "a table", fields },
	idle_timeout = seconds,
	keep = { "seconds", function(value) return value == 0 or positive(value) end },
	max_size = { "a number of bytes", function(value) return math.type(value) == "integer" and value >= 0 end },
	query = table_,
	redirects = { "a number", count },
	retries = { "a number or a table", retries },
	timeout = seconds,
	tls = table_,
	unix = { "a path", text },
	body = { "content", any, true },
	json = { "a value", any, true },
	form = { "a table", of("table"), true },
	multipart = { "a table", of("table"), true },
	method = { "a string", of("string"), true },
	url = { "a string", of("string"), true },
	base_url = string,
}

local function names_of(is_request)
	local names = {}
	for name, option in pairs(known) do
		if is_request and name ~= "base_url" or not is_request and not option[3] then
			names[#names + 1] = name
		end
	end
	return names
end

--- Raises, without a position, if an option is not known or not right.
local function check(options, is_request)
	if type(options) ~= "table" then
		error(("options are a table, not a %s"):format(type(options)), 0)
	end
	for name, value in pairs(options) do
		local option = known[name]
		if not option or is_request and name == "base_url" or not is_request and option[3] then
			error(("unknown option '%s' of %s%s"):format(tostring(name), is_request and "a request" or "http.client",
				suggest.hint(tostring(name), names_of(is_request))), 0)
		end
		if not option[2](value) then
			error(("the option '%s' is %s"):format(name, option[1]), 0)
		end
	end
end

return { check = check }
