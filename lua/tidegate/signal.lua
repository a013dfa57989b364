--- See docs/signal.md.

local core = require("tidegate.core")
local log = require("tidegate.log")
local signal = require("tidegate.core.signal")
local suggest = require("tidegate.suggest")
local task = require("tidegate.task")

local names = { "ALRM", "CONT", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "STKFLT", "TSTP", "TTIN", "TTOU",
	"VTALRM", "WINCH", "XCPU" }

local runners = {} -- by number: lists of { name =, fn =, runs =, again = }

local start

-- However it ends, it may run again.
local function run(runner)
	local _ <close> = setmetatable({}, { __close = function()
		runner.runs = false
		if runner.again then
			start(runner)
		end
	end })
	local ok, trace = xpcall(runner.fn, core.trace, runner.name)
	if not ok then
		log.error(trace, { signal = runner.name })
	end
end

function start(runner)
	runner.again = false
	task.spawn(run, runner):detach()
	runner.runs = true
end

signal.deliver(function(number)
	for _, runner in ipairs(runners[number]) do
		if runner.runs then
			runner.again = true
		else
			start(runner)
		end
	end
end)

--- fn(name) runs, as a task of the first thread, when the process gets the
-- signal.
local function on(name, fn)
	if type(name) ~= "string" then
		error("on() takes the name of a signal, not a " .. type(name), 2)
	end
	if type(fn) ~= "function" then
		error("on() takes a function, not a " .. type(fn), 2)
	end
	local number, message = signal.want(name)
	if not number then
		local is_unknown = message:find("^unknown")
		error(message .. (is_unknown and suggest.hint(name:gsub("^SIG", ""), names) or ""), 2)
	end
	runners[number] = runners[number] or {}
	table.insert(runners[number], { name = name, fn = fn, runs = false, again = false })
end

return { on = on }
