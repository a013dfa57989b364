-- A function answers any method; a string is text.
--     curl 'http://127.0.0.1:8080/hello?name=Ada'
return function(request)
	return "hello " .. (request.query.name or "world") .. "\n"
end
