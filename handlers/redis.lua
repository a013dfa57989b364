-- Asks a Redis behind a unix socket whether it is there.
--     curl http://127.0.0.1:8080/redis

local socket = require("tidegate.socket")
local tidegate = require("tidegate")

return function()
	local s <close>, message, code = socket.connect("unix:redis.sock", { timeout = 1 })
	if not s then
		return tidegate.fail(502, code == "ENOENT" and "there is no redis.sock here" or message)
	end
	s:write("PING\r\n")
	return s:read("line", { timeout = 1 })
end
