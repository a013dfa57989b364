--- Reloads under load, with 1,000 routes.

local reloads = require("bench.lib.reloads")

return reloads.work("reload every 100 ms under load, 1,000 routes", 63, 999)
