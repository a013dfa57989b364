--- Files that load but were probably meant to be something else.

local core = require("tidegate.core")
local log = require("tidegate.log")
local suggest = require("tidegate.suggest")

-- Each thread loads each file: one of them tells.
local function warn(...)
	if core.thread == 1 then
		log.warn(string.format(...))
	end
end

--- Tells of a route that looks like a middleware whose `_` was forgotten.
local function check(file, route)
	if not route.any then
		return
	end
	local parameters, takes_more = core.arity(route.any)
	if parameters == 3 and not takes_more and suggest.nearest(file.name:match("[^/]*$"), { "middleware.lua" }) then
		warn("%s serves %s, and wraps no route, though its function takes three parameters; "
			.. "did you mean '_middleware.lua'?", file.path, route.paths[1])
	end
end

return { check = check }
