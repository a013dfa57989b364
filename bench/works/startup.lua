--- How long it takes from a server's execution to its first answer.

local processes = require("bench.lib.process")
local servers = require("bench.lib.server")
local statistics = require("bench.lib.statistics")
local system = require("bench.lib.system")

local hello = require("bench.works.hello")

local starts = 5 -- in a round
local patience = 5 -- seconds

-- Starts a server that does not run.  Returns milliseconds.
local function start(server)
	local words = { system.compile("launch"), servers.core, server.port, patience, server.log, hello.expect,
		hello.ask.path }
	for i, word in ipairs(words) do
		words[i] = system.quote(word)
	end
	local command = server.command:gsub("^%S+", "$(command -v %0)") -- who is not in PATH's first folder has no handicap
	local pipe = assert(io.popen(table.concat(words, " ") .. " " .. command .. " </dev/null"))
	local pid, result = pipe:read("a"):match("^(%d+) ([^\n]+)\n$")
	pipe:close()
	assert(pid, "bench/launch.c does not run")
	server.process = processes.adopt(tonumber(pid))
	return tonumber(result) or error("it was started and gave no answer: " .. result, 0)
end

local function measure(server)
	local times = {}
	for n = 1, starts do
		server.process:stop()
		times[n] = start(server)
	end
	return { ms = statistics.median(times), worst_ms = math.max(table.unpack(times)) }
end

return {
	title = "start to first answer",
	order = 61,
	about = ("From the server's execution to the first whole answer of hello: no shell and no `taskset` count. "
		.. "A round is %d starts; *ms* is their median, *worst ms* the longest."):format(starts),
	ask = hello.ask,
	expect = hello.expect,
	measure = measure,
	columns = {
		{ key = "ms", title = "ms", digits = 1 },
		{ key = "worst_ms", title = "worst ms", digits = 1 },
	},
	handlers = hello.handlers,
}
