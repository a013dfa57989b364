--- Calls to the methods of others; see docs/rpc.md.

local answers = require("tidegate.rpc.answer")
local http = require("tidegate.http")
local json = require("tidegate.json")
local url = require("tidegate.http.url")

local request_headers = { ["content-type"] = "application/json", accept = "application/json" }

local client_methods = {}
local client_mt = { __name = "tidegate.rpc.client", __index = client_methods }

local function next_id(self)
	self.last_id = self.last_id + 1
	return self.last_id
end

-- One call as text; raises without a position.
local function encode(self, method, params, id)
	if type(method) ~= "string" then
		error("the name of a method is a string, not a " .. type(method), 0)
	end
	if params ~= nil and type(params) ~= "table" then
		error("params are a table, a list or names with values, not a " .. type(params), 0)
	end
	local is_empty = params == nil or next(params) == nil
	return json.encode({
		jsonrpc = self.version,
		method = method,
		params = not is_empty and params or self.version == "1.0" and json.array({}) or nil,
		id = id or self.version == "1.0" and json.null or nil,
	}, { sort = true })
end

-- The text and the status of the response; or nil, message, code.
local function post(self, text)
	local response, message, code = self.http:post(self.url, { body = text, headers = request_headers })
	if not response then
		return nil, message, code
	end
	local status = response.status
	text, message, code = response:text()
	if not text then
		return nil, message, code
	end
	return text, status
end

-- What post() gives, when `encoded` is what pcall(encode) gave: level 2 is
-- who made the mistake.
local function send(self, ok, encoded)
	if not ok then
		error(encoded, 3)
	end
	return post(self, encoded)
end

--- The result of a method; or nil, message, code and the error's data.
function client_methods:call(method, params)
	local id = next_id(self)
	local text, status, code = send(self, pcall(encode, self, method, params, id))
	if not text then
		return nil, status, code
	end
	return answers.read(text, status, id)
end

--- Calls a method that gives no answer: true; or nil, message, code.
function client_methods:notify(method, params)
	local text, status, code = send(self, pcall(encode, self, method, params))
	if not text then
		return nil, status, code
	end
	return answers.read_none(status)
end

-- The keys of a table, those of a list first, in their order.
local function keys_of(calls)
	local keys = {}
	for i in ipairs(calls) do
		keys[i] = i
	end
	for key in pairs(calls) do
		if not (math.type(key) == "integer" and 1 <= key and key <= #calls) then
			keys[#keys + 1] = key
		end
	end
	return keys
end

-- The calls of a batch as text, and the keys of those that want an answer, by
-- id; raises without a position.
local function encode_all(self, calls)
	local texts, keys = {}, {}
	for i, key in ipairs(keys_of(calls)) do
		local call = calls[key]
		if type(call) ~= "table" then
			error(("call %s of a batch is a table, not a %s"):format(key, type(call)), 0)
		end
		local id = not call.notify and next_id(self) or nil
		if id then
			keys[id] = key
		end
		texts[i] = encode(self, call[1], call[2], id)
	end
	return "[" .. table.concat(texts, ",") .. "]", keys
end

--- Calls { METHOD, params, notify = } several at once: tables of the results
-- and of the errors, under the keys of the calls; or nil, message, code.
function client_methods:batch(calls)
	if type(calls) ~= "table" then
		error("batch() takes a table of calls, not a " .. type(calls), 2)
	end
	local ok, encoded, keys = pcall(encode_all, self, calls)
	if ok and encoded == "[]" then
		return {}, {}
	end
	local text, status, code = send(self, ok, encoded)
	if not text then
		return nil, status, code
	end
	return answers.read_all(text, status, keys)
end

local function check(where, options)
	if type(where) ~= "string" then
		error("client() takes a url, a string, not a " .. type(where), 0)
	end
	local found, why = url.parse(where)
	if not found then
		error(why, 0)
	end
	local of_http = {}
	for name, value in pairs(options) do
		of_http[name] = value
	end
	of_http.user, of_http.password, of_http.version = nil, nil, nil
	if options.user ~= nil or options.password ~= nil then
		if type(options.user) ~= "string" or type(options.password) ~= "string" then
			error("user and password are two strings", 0)
		end
		of_http.auth = { options.user, options.password }
	end
	local version = options.version or "2.0"
	if version ~= "2.0" and version ~= "1.0" then
		error('the version is "2.0" or "1.0"', 0)
	end
	local ok, client = pcall(http.client, of_http)
	if not ok then
		error(client:gsub("^[^ ]*:%d+: ", ""):gsub("http%.client", "rpc.client"), 0)
	end
	return setmetatable({ url = where, http = client, version = version, last_id = 0 }, client_mt)
end

--- A client of the server at this address.
local function new(where, options)
	local ok, client = pcall(check, where, options or {})
	if not ok then
		error(client, 2)
	end
	return client
end

return { new = new }
