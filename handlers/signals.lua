-- Does something when the process gets a signal: try `kill -WINCH $(cat .tidegate.pid)`.
--     curl http://127.0.0.1:8080/signals
local shared = require("tidegate.shared")
local signal = require("tidegate.signal")

local seen = shared.open("signals") -- the function runs on one thread only

signal.on("WINCH", function(name)
	seen:incr(name, 1)
end)

return function()
	return { winch = seen:get("WINCH") or 0 }
end
