--- Bare epoll in C, bench/floor.c: what the kernel and a loop cost, without
-- HTTP.  A work's handler is the body that it sends whatever it is asked.

local system = require("bench.lib.system")

return {
	title = "bare epoll in C",
	order = 8,

	version = function()
		return system.output("cc --version"):match("^[^\n]+")
	end,

	command = function(place, body)
		place:write("body", body)
		return ("%s %d %s/body"):format(system.compile("floor"), place.port, place.folder)
	end,
}
