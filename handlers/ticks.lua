-- A timer that keeps a counter; it ends with its generation.
--     curl http://127.0.0.1:8080/ticks
local shared = require("tidegate.shared")
local tidegate = require("tidegate")
local timer = require("tidegate.timer")

local counters = shared.open("counters")

if tidegate.thread == 1 then -- every thread runs this file; one of them counts
	timer.every(0.1, function() counters:incr("ticks") end)
end

return function()
	return { ticks = counters:get("ticks") or 0, generation = tidegate.generation }
end
