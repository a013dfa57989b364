-- A path parameter, and a dictionary that all threads share.
--     curl -X PUT -d '{"name": "Ada"}' http://127.0.0.1:8080/users/7
--     curl http://127.0.0.1:8080/users/7
local users = require("tidegate.shared").open("users")

local route = {}

function route.GET(request)
	local user = users:get(request.params.id)
	if not user then return 404, { error = "no such user" } end
	return user
end

function route.PUT(request)
	users:set(request.params.id, request:json())
	return 204
end

function route.DELETE(request)
	return users:delete(request.params.id) and 204 or 404
end

return route
