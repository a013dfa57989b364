--- Dictionaries that all threads and generations share.
--
-- `open`: see docs/shared.md.

require("tidegate.json") -- the core learns from it what json.null is

local core = require("tidegate.core.shared")

local methods = core.methods

--- Stores what `change` makes of the value, which is nil if there is none, and
-- returns that.  If another one was stored meanwhile, `change` is called again.
function methods:update(key, change, ttl)
	local value, outcome, message, code
	repeat
		local old, version = self:read(key)
		value = change(old)
		outcome, message, code = self:swap(key, value, version, ttl)
	until code ~= "changed"
	if not outcome then
		return nil, message, code
	end
	return value
end

return { open = core.open }
