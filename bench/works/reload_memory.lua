--- What 1,000 reloads leave behind.

local socket = require("socket")

local versions = require("bench.lib.versions")

local count = 1000

local function measure(server)
	local before, from = server.process:memory(), socket.gettime()
	for version = 1, count do
		assert(versions.replace(server, version, 10), "the new version did not come")
	end
	local seconds, after = socket.gettime() - from, server.process:memory()
	return {
		growth_mb = math.max(0.001, (after.pss - before.pss) / 2 ^ 20),
		before_mb = before.pss / 2 ^ 20,
		after_mb = after.pss / 2 ^ 20,
		peak_mb = after.peak / 2 ^ 20,
		each_ms = seconds / count * 1000,
	}
end

return {
	title = "1,000 reloads",
	order = 64,
	about = "One after the other, each awaited, with 10 routes and no load: what the processes have grown by.",
	ask = { path = "/version" },
	expect = "version 0\n",
	rounds = 1,
	measure = measure,
	columns = {
		{ key = "growth_mb", title = "grown by MB", digits = 2 },
		{ key = "before_mb", title = "PSS MB before", digits = 1 },
		{ key = "after_mb", title = "PSS MB after", digits = 1 },
		{ key = "peak_mb", title = "peak MB", digits = 1 },
		{ key = "each_ms", title = "ms each", digits = 1 },
	},
	handlers = versions.handlers(9),
}
