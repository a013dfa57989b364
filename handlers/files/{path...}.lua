-- Everything in a folder, or a page that lists it, with ranges and all that belongs to files.
--
--     curl http://127.0.0.1:8080/files/tide.txt
--     curl -r 0-7 http://127.0.0.1:8080/files/tide.txt

local static = require("tidegate.static")

return static({ root = "handlers/_public", listing = true })
