-- Asks two servers at once, here this one itself, and passes on what they say.
--
--     curl http://127.0.0.1:8080/weather
local http = require("tidegate.http")
local tidegate = require("tidegate")

local api = http.client{ timeout = 2, retries = 1 }

return function(request)
	local base = "http://" .. request.headers.host
	local responses, errors = api:all{
		hello = { url = base .. "/hello", query = { name = "tide" } },
		wind = base .. "/together",
	}
	for name, failure in pairs(errors) do
		tidegate.fail(502, name .. ": " .. failure.message)
	end
	return { greeting = responses.hello:text(), wind = responses.wind:json().wind }
end
