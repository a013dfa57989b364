-- News for all who wait, whichever thread serves them.
--     curl -d 'high tide' http://127.0.0.1:8080/news
local channel = require("tidegate.channel")

local news = channel.open("news")

local route = {}

function route.GET()
	local subscription <close> = news:subscribe()
	return subscription:get(30) or 204
end

function route.POST(request)
	return { heard = news:publish(request:text()) }
end

return route
