--- A server that the servers of a work ask: bench/floor.c, on the load's core.

local processes = require("bench.lib.process")
local system = require("bench.lib.system")

local origin_methods = {}
local origin_mt = { __name = "origin", __index = origin_methods }

--- Starts one that answers whatever it is asked with `body`, at
-- `port` of 127.0.0.1.
local function start(body, core)
	local folder, port = system.temporary_folder(), system.free_port()
	system.write(folder .. "/body", body)
	local command = ("%s %d %s/body"):format(system.compile("floor"), port, folder)
	return setmetatable({
		port = port,
		folder = folder,
		process = processes.start(command, core, folder .. "/log"),
	}, origin_mt)
end

--- Ends it and removes its folder.
function origin_methods:stop()
	self.process:stop()
	system.remove_folder(self.folder)
end

return { start = start }
