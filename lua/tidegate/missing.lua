--- What is said of a module that require() does not find.

local suggest = require("tidegate.suggest")

local searchpath, cpath = package.searchpath, package.cpath
local system = "/usr/local/share/lua/5.4 or /usr/share/lua/5.4"

-- What docs/ describes; all else in tidegate is for itself.
local documented = {
	"buffer", "channel", "dns", "http", "json", "log", "rpc", "shared", "signal", "socket", "static", "task", "timer",
}

local function places(name, folder)
	if not folder then
		return "there is none in " .. system
	end
	local path = folder .. name:gsub("%.", "/")
	return ("there is no %s.lua or %s/init.lua, and none in %s"):format(path, path, system)
end

-- The module that was probably meant.
local function meant(name, names)
	local best = suggest.nearest(name, names)
	local ours = not best and suggest.nearest(name:gsub("^tidegate%.", ""), documented)
	return best or ours and "tidegate." .. ours
end

--- One sentence about the module `name`.  `folder` is that of the project's
-- modules, as the project has it, or nil; `names` are the modules in it.
local function sentence(name, folder, names)
	if name:find("\0", 1, true) then
		return ("module '%s' not found: a name has no zero bytes"):format((name:gsub("\0", "\\0")))
	end
	local library = cpath and searchpath(name, cpath)
	local best = not library and meant(name, names)
	local why
	if name:find("^tidegate%.") then
		why = "tidegate has none of that name"
	elseif library then
		why = ("%s is in C, and only modules in Lua are loaded"):format(library)
	else
		why = places(name, folder)
	end
	return ("module '%s' not found: %s%s"):format(name, why, best and ("; did you mean '%s'?"):format(best) or "")
end

return { sentence = sentence, documented = documented }
