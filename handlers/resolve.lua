-- Looks up the addresses of a name.
--     curl 'http://127.0.0.1:8080/resolve?name=localhost'

local dns = require("tidegate.dns")
local tidegate = require("tidegate")

return function(request)
	local name = request.query.name or tidegate.fail(400, "ask with ?name=")
	local list, message, code = dns.resolve(name, "A", { timeout = 2 })
	if not list then
		return tidegate.fail(code == "nxdomain" and 404 or 502, message)
	end
	return { addresses = { table.unpack(list) }, ttl = list.ttl }
end
