--- Reloads under load, with 10 routes.

local reloads = require("bench.lib.reloads")

return reloads.work("reload every 100 ms under load, 10 routes", 62, 9)
