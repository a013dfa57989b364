--- Load, made by wrk on a core of its own.

local system = require("bench.lib.system")

local here = "bench/lib/wrk.lua"

-- A table of strings and tables of strings as Lua source.
local function source(value)
	if type(value) ~= "table" then
		return value == nil and "nil" or ("%q"):format(value)
	end
	local parts = {}
	for key, item in pairs(value) do
		parts[#parts + 1] = ("[%q] = %s"):format(key, source(item))
	end
	return "{ " .. table.concat(parts, ",\n") .. " }"
end

local load_methods = {}
local load_mt = { __name = "load", __index = load_methods }

--- Starts it.  `ask`: method, path, paths (asked for in turn), headers, body,
-- connections.  `url` is the server's, without a path.
local function start(url, ask, seconds, core, folder)
	local request = folder .. "/request.lua"
	system.write(request, "return " .. source({
		method = ask.method or "GET",
		body = ask.body,
		headers = ask.headers or {},
		paths = ask.paths,
	}))
	local command = ("BENCH_REQUEST=%s taskset -c %d wrk -t1 -c%d -d%s --timeout 10s -s %s %s 2>&1"):format(
		system.quote(request), core, ask.connections or 16, ("%.0fs"):format(math.max(1, seconds)), here,
		system.quote(url .. (ask.path or ask.paths[1])))
	return setmetatable({ pipe = assert(io.popen(command)) }, load_mt)
end

--- Waits for its end.  Returns a table: requests, seconds, rate; p50, p99,
-- p999 and max in microseconds; failed, and of these status, socket, timeout.
function load_methods:wait()
	local text = self.pipe:read("a")
	self.pipe:close()
	local figures = {}
	for key, value in (text:match("\nfigures ([^\n]*)") or ""):gmatch("(%w+)=(%S+)") do
		figures[key] = tonumber(value)
	end
	assert(figures.requests, "wrk failed:\n" .. text)
	figures.rate = figures.requests / figures.seconds
	figures.failed = figures.status + figures.socket + figures.timeout
	return figures
end

return { start = start }
