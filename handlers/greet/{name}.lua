-- Counts how often somebody was greeted, on all threads together.
--     curl http://127.0.0.1:8080/greet/Ada

local shared = require("tidegate.shared")

local greeted = shared.open("greeted") -- one dictionary for all threads

return function(request)
	local count = greeted:incr(request.params.name)
	local again = count > 1 and " again" or ""
	return ("hello%s, %s\n"):format(again, request.params.name)
end
