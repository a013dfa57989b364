-- Counts the bytes of a body of any size, as they come, in constant memory.
--     head -c 1000000 /dev/zero | curl -T - http://127.0.0.1:8080/upload
local route = { limits = { body = math.huge } }

function route.PUT(request)
	local bytes, chunks = 0, 0
	for chunk in request:chunks() do
		bytes, chunks = bytes + #chunk, chunks + 1
	end
	return { bytes = bytes, chunks = chunks }
end

route.POST = route.PUT

return route
