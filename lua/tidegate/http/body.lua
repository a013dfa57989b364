--- The content of a request, made of what options say of it.

local buffer = require("tidegate.buffer")
local http = require("tidegate.core.http")
local json = require("tidegate.json")
local multipart = require("tidegate.http.multipart")
local url = require("tidegate.http.url")

local kinds = { "body", "json", "form", "multipart" }

local encoders = {}

function encoders.json(value)
	return json.encode(value), "application/json"
end

function encoders.form(value)
	return url.encode_pairs(value), "application/x-www-form-urlencoded"
end

encoders.multipart = multipart.encode

function encoders.body(value)
	local kind = type(value)
	if kind == "table" then
		return encoders.json(value)
	elseif kind == "string" or kind == "function" then
		return value
	elseif http.is_buffer(value) then -- nobody else may add to it any more
		return buffer.new(value)
	end
	error("body is a string, a table, a buffer or a function, not a " .. kind, 0)
end

--- The content, a string, buffer or function, and its type; nothing if the
-- request has none.
local function encode(options)
	if next(options) == nil then
		return
	end
	local chosen
	for _, kind in ipairs(kinds) do
		if options[kind] ~= nil then
			if chosen then
				error(("a request has one content: '%s' or '%s'"):format(chosen, kind), 0)
			end
			chosen = kind
		end
	end
	if chosen then
		return encoders[chosen](options[chosen])
	end
end

return { encode = encode }
