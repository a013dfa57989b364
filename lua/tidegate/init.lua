--- What every handler may need: `local tidegate = require("tidegate")`.

local core = require("tidegate.core")
local failure = require("tidegate.failure")
local lifecycle = require("tidegate.lifecycle")
local settings = require("tidegate.settings")

return {
	--- The version of the gateway.
	version = core.version,
	--- The number of the generation this code belongs to.
	generation = core.generation,
	--- The number of the thread this code runs on, from 1, and of all threads.
	thread = core.thread,
	threads = core.threads,
	--- The settings of tidegate.lua.
	config = settings.load(core.settings()),
	--- Ends the request with this status, from anywhere below the handler.
	fail = failure.raise,
	--- Registers a function that runs, and may wait, before this generation
	-- takes requests; if it fails the generation is dropped.
	on_start = lifecycle.on_start,
	--- Registers a function that runs when this generation is replaced.
	on_stop = lifecycle.on_stop,
}
