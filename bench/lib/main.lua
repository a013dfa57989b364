--- Side by side with the peers: see bench/README.md.

package.path = "./?.lua;" .. package.path

local chart = require("bench.lib.chart")
local json = require("bench.lib.json")
local options = require("bench.lib.options")
local report = require("bench.lib.report")
local runner = require("bench.lib.runner")
local system = require("bench.lib.system")

local settings, usage = options.parse(arg)
if not settings then
	io.stderr:write(usage)
	os.exit(2)
end

local machine = system.describe()
if machine.cores < 2 then
	io.stderr:write("bench/run: servers and load need a core each, and there is one\n")
	os.exit(1)
end
settings.load_core = machine.cores - 1

local function versions(peers)
	local list = {}
	for i, peer in ipairs(peers) do
		list[i] = { name = peer.name, title = peer.title, version = peer.version() }
	end
	return list
end

local works, peers = runner.load_all("works", settings.works), runner.load_all("peers", settings.peers)
local run = {
	date = os.date("!%Y-%m-%d %H:%M UTC"),
	machine = machine,
	commit = system.output("git rev-parse --short HEAD 2>/dev/null"),
	rounds = settings.rounds,
	seconds = settings.seconds,
	peers = versions(peers),
	works = {},
}
local path = "bench/results/" .. settings.name
for i, work in ipairs(works) do
	run.works[i] = runner.run(work, peers, settings)
	system.write(path .. ".json", json.encode(run)) -- a run that is broken off leaves what it has
	system.write(path .. ".md", report.markdown(run, settings.name .. ".svg"))
	system.write(path .. ".svg", chart.svg(run))
end
print(report.markdown(run, settings.name .. ".svg"))
io.stderr:write(("results are in %s.json, .md and .svg\n"):format(path))
