--- Dictionaries that all threads and generations share.
--
-- `open`: see docs/shared.md.

require("tidegate.json") -- the core learns from it what json.null is

return require("tidegate.core.shared")
