--- Values from any task to all that have subscribed, on all threads.
--
-- `open`: see docs/channel.md.

require("tidegate.json") -- the core learns from it what json.null is

return require("tidegate.core.channel")
