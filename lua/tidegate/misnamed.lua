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
	local name = file.name:match("[^/]*$")
	if not route.any or not suggest.nearest(name, { "middleware.lua" }) then
		return
	end
	local info = debug.getinfo(route.any, "u")
	if info.nparams == 3 and not info.isvararg then
		warn("%s serves %s, and wraps no route, though its function takes three parameters; "
			.. "did you mean '_middleware.lua'?", file.path, route.paths[1])
	end
end

return { check = check }
