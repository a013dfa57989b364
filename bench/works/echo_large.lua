--- JSON in and out: 100 KB are decoded and encoded again.

local echo = require("bench.lib.echo")

return echo.work("echo of 100 KB", 22, 100000, 8)
