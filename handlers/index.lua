-- The front page.
--     curl http://127.0.0.1:8080/
local tidegate = require("tidegate")

return function()
	return ("Tidegate %s, generation %d: edit a file in handlers/, then reload.\n"):format(
		tidegate.version, tidegate.generation)
end
