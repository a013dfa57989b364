--- From a file of handlers/ to the path it serves.

local template = require("tidegate.grammar.template")

--- Returns the template that the name of a file, relative to handlers/, stands
-- for, and the template's segments; or nil and why it has none.
local function template_of(name)
	local component, first = ("/" .. name):match("/(([_.])[^/]*)")
	if component then
		return nil, ("no route: '%s' begins with '%s'"):format(component, first)
	end
	if name:sub(-4) ~= ".lua" or #name == 4 then
		return nil, ("no route: '%s' does not end in '.lua'"):format(name)
	end
	local path = "/" .. name:sub(1, -5)
	if path:sub(-6) == "/index" then
		path = #path > 6 and path:sub(1, -7) or "/"
	end
	local segments, message = template.parse(path)
	if not segments then
		return nil, message
	end
	return path, segments
end

return { template = template_of }
