--- From a file of handlers/ to the path it serves.

local template = require("tidegate.grammar.template")

--- Returns the template that the name of a file, relative to handlers/, stands
-- for; or nil and why it has none.
local function template_of(name)
	for component in name:gmatch("[^/]+") do
		local first = component:sub(1, 1)
		if first == "_" or first == "." then
			return nil, ("no route: '%s' begins with '%s'"):format(component, first)
		end
	end
	local path = name:match("^(.+)%.lua$")
	if not path then
		return nil, ("no route: '%s' does not end in '.lua'"):format(name)
	end
	path = ("/" .. path):gsub("/index$", "")
	if path == "" then
		path = "/"
	end
	local segments, message = template.parse(path)
	if not segments then
		return nil, message
	end
	return path
end

return { template = template_of }
