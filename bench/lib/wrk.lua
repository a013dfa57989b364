-- For wrk itself: the requests that bench/lib/load.lua has written to a file of
-- Lua, and the figures on one line at the end.
-- luacheck: std luajit, globals wrk init request done

local asked = dofile(os.getenv("BENCH_REQUEST"))

wrk.method, wrk.body = asked.method, asked.body
for name, value in pairs(asked.headers) do
	wrk.headers[name] = value
end

if asked.paths then -- each in turn, formatted ahead
	local requests, at = {}, 0

	function init()
		for i, path in ipairs(asked.paths) do
			requests[i] = wrk.format(nil, path)
		end
	end

	function request()
		at = at % #requests + 1
		return requests[at]
	end
end

function done(summary, latency)
	local errors = summary.errors
	io.write(("figures requests=%d seconds=%.6f p50=%.1f p99=%.1f p999=%.1f max=%.1f status=%d socket=%d timeout=%d\n")
		:format(summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
			latency:percentile(99.9), latency.max, errors.status, errors.connect + errors.read + errors.write,
			errors.timeout))
end
