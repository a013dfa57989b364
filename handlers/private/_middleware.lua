-- Guards every route in this folder and below.
local tidegate = require("tidegate")

return function(request, response, next)
	if request.headers["x-key"] ~= "sesame" then
		tidegate.fail(403, "send the header x-key")
	end
	response.headers["cache-control"] = "no-store"
	return next()
end
