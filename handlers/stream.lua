-- Ten lines, one every 100 ms; waiting blocks nobody else.
--     curl -N http://127.0.0.1:8080/stream
local timer = require("tidegate.timer")

return function(_, response)
	for line = 1, 10 do
		response:write(("line %d\n"):format(line))
		timer.sleep(0.1)
	end
end
