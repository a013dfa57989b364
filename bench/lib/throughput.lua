--- How most works are measured: load for some seconds, and what it cost.

local load = require("bench.lib.load")
local processes = require("bench.lib.process")
local servers = require("bench.lib.server")

local columns = {
	{ key = "cpu_us", title = "CPU µs", digits = 2 },
	{ key = "user_us", title = "user", digits = 2 },
	{ key = "system_us", title = "system", digits = 2 },
	{ key = "rate", title = "requests/s", digits = 0 },
	{ key = "p50_us", title = "p50 µs", digits = 0 },
	{ key = "p99_us", title = "p99 µs", digits = 0 },
	{ key = "p999_us", title = "p99.9 µs", digits = 0 },
	{ key = "idle_mb", title = "idle MB", digits = 1 },
	{ key = "peak_mb", title = "peak MB", digits = 1 },
	{ key = "pss_mb", title = "PSS MB", digits = 1 },
	{ key = "failed", title = "failed", digits = 0 },
}

--- Loads a server for a round.  Returns a row with the columns above, and
-- `foreign`: the share of the server's core that others took meanwhile.
local function measure(server, settings)
	local process = server.process
	local work = server.work
	local seconds = math.max(settings.seconds, work.least_seconds or 1)
	local busy, before = processes.core_busy(servers.core), process:cpu()
	local figures = load.start(server.url, work.ask, seconds, settings.load_core, server.place.folder):wait()
	local after, memory = process:cpu(), process:memory()
	busy = processes.core_busy(servers.core) - busy
	assert(figures.requests > 0, "no answer came")

	local total = after.total - before.total
	local user, kernel = after.user - before.user, after.system - before.system
	local share = user + kernel > 0 and user / (user + kernel) or 0
	local cpu_us = total / figures.requests * 1e6
	return {
		cpu_us = cpu_us,
		user_us = cpu_us * share,
		system_us = cpu_us * (1 - share),
		rate = figures.rate,
		p50_us = figures.p50,
		p99_us = figures.p99,
		p999_us = figures.p999,
		failed = figures.failed,
		idle_mb = server.idle.rss / 2 ^ 20,
		peak_mb = memory.peak / 2 ^ 20,
		pss_mb = memory.pss / 2 ^ 20,
		foreign = math.max(0, busy - total) / figures.seconds,
	}
end

return { columns = columns, measure = measure }
