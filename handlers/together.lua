-- Two waits at once: it takes as long as the longer one.
--     curl http://127.0.0.1:8080/together
local task = require("tidegate.task")
local timer = require("tidegate.timer")

return function()
	return task.all{
		tide = function()
			timer.sleep(0.2)
			return "high"
		end,
		wind = function()
			timer.sleep(0.1)
			return "west"
		end,
	}
end
