--- A larger file.

local static = require("bench.lib.static")

return static.work("static file of 1 MiB", 44, 1024 * 1024, 8)
