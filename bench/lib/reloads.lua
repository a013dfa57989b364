--- The works that reload while there is load, with any number of routes.

local socket = require("socket")

local load = require("bench.lib.load")
local statistics = require("bench.lib.statistics")
local versions = require("bench.lib.versions")

local period = 0.1 -- seconds from one reload to the next

local function measure(server, settings)
	local running = load.start(server.url, server.work.ask, math.max(2, settings.seconds), settings.load_core,
		server.place.folder)
	local until_when = socket.gettime() + math.max(2, settings.seconds) - 0.3
	local times = {}
	server.version = server.version or 0
	while socket.gettime() < until_when do
		local from = socket.gettime()
		server.version = server.version + 1
		local took = versions.replace(server, server.version, 10)
		times[#times + 1] = took and took * 1000
		if not took then
			break
		end
		socket.sleep(math.max(0, period - (socket.gettime() - from)))
	end
	local figures = running:wait()
	assert(#times > 0, "the new version did not come")
	return {
		median_ms = statistics.median(times),
		worst_ms = statistics.percentile(times, 1),
		reloads = #times,
		p99_us = figures.p99,
		max_us = figures.max,
		rate = figures.rate,
		failed = figures.failed,
	}
end

--- A work with so many other routes.
local function work(title, order, others)
	return {
		title = title,
		order = order,
		about = ("A handler is changed and SIGHUP sent every 100 ms, beside %d other routes, while 8 connections ask for "
			.. "it. *ms* is from the signal until a new connection gets the new answer. *failed* is what of the load "
			.. "failed: nginx closes connections when it replaces its workers."):format(others),
		ask = { path = "/version", connections = 8 },
		expect = "version 0\n",
		measure = measure,
		columns = {
			{ key = "median_ms", title = "ms", digits = 1 },
			{ key = "worst_ms", title = "worst ms", digits = 1 },
			{ key = "reloads", title = "reloads", digits = 0 },
			{ key = "p99_us", title = "p99 µs", digits = 0 },
			{ key = "max_us", title = "longest µs", digits = 0 },
			{ key = "rate", title = "requests/s", digits = 0 },
			{ key = "failed", title = "failed", digits = 0 },
		},
		handlers = versions.handlers(others),
	}
end

return { work = work }
