--- Whom connections by TLS trust: made once for the same options.

local core = require("tidegate.core.http")

local kinds = { verify = "boolean", ca = "string", certificate = "string", key = "string", server_name = "string" }

local made = {}

--- Raises, without a position.
local function check(options)
	for name, value in pairs(options) do
		if not kinds[name] then
			error(("unknown option '%s' of tls"):format(tostring(name)), 0)
		end
		if type(value) ~= kinds[name] then
			error(("'%s' of tls is a %s, not a %s"):format(name, kinds[name], type(value)), 0)
		end
	end
	if (options.certificate == nil) ~= (options.key == nil) then
		error("'certificate' and 'key' of tls go together", 0)
	end
	if options.verify == false and options.ca then
		error("'ca' of tls has no use where nothing is verified", 0)
	end
end

--- Of checked options: a trust, and what tells it from others; or nil, message, code.
local function of(options)
	local verify = options.verify ~= false
	local key = ("%s\n%s\n%s\n%s"):format(verify, options.ca, options.certificate, options.key)
	local entry = made[key]
	if not entry then
		local trust, message, code = core.trust({
			verify = verify,
			ca = options.ca,
			certificate = options.certificate,
			key = options.key,
		})
		if not trust then
			return nil, message, code
		end
		entry = { trust = trust, name = tostring(trust) }
		made[key] = entry
	end
	return entry.trust, entry.name
end

return { check = check, of = of }
