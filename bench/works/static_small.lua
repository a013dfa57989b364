--- A small file.

local static = require("bench.lib.static")

return static.work("static file of 1 KiB", 43, 1024, 16)
