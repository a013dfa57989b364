-- Behind the middleware of its folder.
--     curl -H 'x-key: sesame' http://127.0.0.1:8080/private/report
return function()
	return { secret = "the tide turns at noon" }
end
