-- Header fields keep their order and all their values.
--     curl -H 'X-Tag: a' -H 'X-Tag: b' http://127.0.0.1:8080/headers
return function(request, response)
	response.headers:add("x-seen", "one")
	response.headers:add("x-seen", "two")
	local names = {}
	for name in pairs(request.headers) do
		names[#names + 1] = name:lower()
	end
	return { first = request.headers["x-tag"], tags = request.headers:all("X-Tag"), names = names }
end
