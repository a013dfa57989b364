--- JSON in and out: 1 KB is decoded and encoded again.

local echo = require("bench.lib.echo")

return echo.work("echo of 1 KB", 21, 1000, 16)
