-- JSON in, JSON out; what is not JSON gets 400.
--     curl -d '{"n": 9007199254740993}' http://127.0.0.1:8080/echo
local route = {}

function route.POST(request)
	return { you_sent = request:json(), bytes = request.content_length }
end

return route
