--- A process with all its children: its start, its end, and what it uses.

local lfs = require("lfs")
local socket = require("socket")

local system = require("bench.lib.system")

local ticks = tonumber(system.output("getconf CLK_TCK"))
local page = tonumber(system.output("getconf PAGESIZE"))

local process_methods = {}
local process_mt = { __name = "process", __index = process_methods }

--- Starts a command of the shell, pinned to a core.  Standard output and
-- standard error go to the file `log`.
local function start(command, core, log)
	local pipe = assert(io.popen(("exec taskset -c %d %s </dev/null >%s 2>&1 & echo $!"):format(
		core, command, system.quote(log))))
	local pid = assert(tonumber(pipe:read("l")))
	pipe:close()
	return setmetatable({ pid = pid }, process_mt)
end

--- A process that somebody else has started.
local function adopt(pid)
	return setmetatable({ pid = pid }, process_mt)
end

-- The folders of a process's threads; none if it has ended.
local function threads(pid)
	local folder = ("/proc/%d/task"):format(pid)
	local list = lfs.attributes(folder) and system.names(folder, "^%d+$") or {}
	for i, thread in ipairs(list) do
		list[i] = folder .. "/" .. thread
	end
	return list
end

--- Its process number and those of its children, and of theirs.
function process_methods:tree()
	local tree = { self.pid }
	for _, pid in ipairs(tree) do -- it grows meanwhile
		for _, folder in ipairs(threads(pid)) do
			for child in (system.read(folder .. "/children") or ""):gmatch("%d+") do
				tree[#tree + 1] = tonumber(child)
			end
		end
	end
	return tree
end

-- Seconds that the threads of a process have run: the kernel counts them in
-- nanoseconds.  User and system time are sampled, hundredths of a second.
local function times(pid)
	local run = 0
	for _, folder in ipairs(threads(pid)) do
		run = run + tonumber((system.read(folder .. "/schedstat") or "0"):match("^%d+")) / 1e9
	end
	local stat = system.read(("/proc/%d/stat"):format(pid)) or ""
	local user, kernel = stat:match("^%d+ %(.*%) %S+" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
	return run, tonumber(user or 0) / ticks, tonumber(kernel or 0) / ticks
end

--- Seconds of processor time that the whole tree has used: `total`, exact, and
-- `user` and `system`, to a hundredth.
function process_methods:cpu()
	local sum = { total = 0, user = 0, system = 0 }
	for _, pid in ipairs(self:tree()) do
		local total, user, kernel = times(pid)
		sum.total, sum.user, sum.system = sum.total + total, sum.user + user, sum.system + kernel
	end
	return sum
end

--- Bytes of memory of the whole tree.  `rss` counts what processes share for
-- each of them, `pss` once; `peak` is the most `rss` that each has had.
function process_methods:memory()
	local sum = { rss = 0, pss = 0, peak = 0 }
	for _, pid in ipairs(self:tree()) do
		local folder = ("/proc/%d/"):format(pid)
		local resident = (system.read(folder .. "statm") or ""):match("^%d+ (%d+)") or 0
		local shared = (system.read(folder .. "smaps_rollup") or ""):match("\nPss:%s*(%d+)") or 0
		local peak = (system.read(folder .. "status") or ""):match("VmHWM:%s*(%d+)") or 0
		sum.rss = sum.rss + resident * page
		sum.pss = sum.pss + shared * 1024
		sum.peak = sum.peak + peak * 1024
	end
	return sum
end

--- Is it there, and no zombie?
function process_methods:is_alive()
	local state = (system.read(("/proc/%d/stat"):format(self.pid)) or ""):match("^%d+ %(.*%) (%S)")
	return state ~= nil and state ~= "Z"
end

function process_methods:signal(name)
	return os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid))
end

-- Seconds until the process is gone, or nil after `patience`.
local function await_end(self, patience)
	local from = socket.gettime()
	while self:is_alive() do
		if socket.gettime() - from > patience then
			return nil
		end
		socket.sleep(0.005)
	end
	return socket.gettime() - from
end

--- Ends it by SIGTERM, and whoever of the tree is deaf to that by SIGKILL.
function process_methods:stop()
	local tree = self:tree()
	self:signal("TERM")
	if not await_end(self, 5) then
		for _, pid in ipairs(tree) do
			os.execute(("kill -KILL %d 2>/dev/null"):format(pid))
		end
		await_end(self, 5)
	end
end

--- Seconds that a core has been busy so far, whoever it was with.
local function core_busy(core)
	local line = system.read("/proc/stat"):match("\ncpu" .. core .. " ([^\n]+)")
	local fields = {}
	for number in line:gmatch("%d+") do
		fields[#fields + 1] = tonumber(number)
	end
	local user, nice, kernel, _, _, irq, soft_irq, steal = table.unpack(fields)
	return (user + nice + kernel + irq + soft_irq + steal) / ticks
end

return { start = start, adopt = adopt, core_busy = core_busy }
