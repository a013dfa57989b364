--- The program under test, run as a child process: $TIDEGATE, or the release
-- build.

local socket = require("socket")

local quote = require("tests.support.project").quote

local path = os.getenv("TIDEGATE") or "build/release/tidegate"

-- Under a sanitizer figures of memory say nothing of the program.
local function find_sanitizer()
	local file = io.open(path, "rb")
	local text = file and file:read("a") or ""
	if file then
		file:close()
	end
	return text:find("__asan_init", 1, true) or text:find("__tsan_init", 1, true)
end

local patience = 60 -- seconds; sanitizers and valgrind are slow

local function read(name)
	local file = io.open(name)
	local text = file and file:read("a") or ""
	if file then
		file:close()
	end
	return text
end

--- Asks until `check` gives something true, and returns that.
local function await(what, check)
	local limit = socket.gettime() + patience
	repeat
		local result = check()
		if result then
			return result
		end
		socket.sleep(0.005)
	until socket.gettime() > limit
	error("waited in vain for " .. (type(what) == "function" and what() or what), 2)
end

local function command_line(arguments)
	local words = { quote(path) }
	for _, argument in ipairs(arguments) do
		words[#words + 1] = quote(tostring(argument))
	end
	return table.concat(words, " ")
end

--- Runs a command to its end; returns its output, its errors, its exit code.
local function run(...)
	local errors = os.tmpname()
	local pipe = assert(io.popen(command_line({ ... }) .. " 2>" .. errors .. "; echo $?"))
	local output, code = pipe:read("a"):match("^(.*)%f[%d](%d+)\n$")
	pipe:close()
	local text = read(errors)
	os.remove(errors)
	return output, text, tonumber(code)
end

local program_methods = {}
local program_mt = { __name = "program", __index = program_methods }

-- A test that failed leaves its program running.
local function collect(self)
	if self.pipe then
		os.execute(("kill -KILL %d 2>/dev/null"):format(self.pid))
	end
end

program_mt.__gc = collect

--- Starts it; `wait` gives its exit code.  A shell is its parent, so that the
-- process number is known; that it would leave SIGINT ignored is undone.
local function start(arguments, environment)
	local log = os.tmpname()
	local line = ("exec 2>/dev/null; %s env --default-signal %s </dev/null >%s 2>&1 & echo $!; wait $!; echo $?"):format(
		environment or "", command_line(arguments), log)
	local pipe = assert(io.popen(line))
	local pid = assert(tonumber(pipe:read("l")))
	return setmetatable({ pipe = pipe, pid = pid, log_path = log }, program_mt)
end

--- Everything it wrote so far.
function program_methods:log()
	return self.pipe and read(self.log_path) or self.last_log
end

--- Waits until its log has a line like that; returns the captures.
function program_methods:wait_log(pattern, from)
	return table.unpack(await(function()
		return ("%q in the log:\n%s"):format(pattern, self:log())
	end, function()
		local found = table.pack(self:log():match(pattern, from))
		return found[1] and found
	end))
end

function program_methods:signal(name)
	assert(os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid)), "it has ended")
end

--- The processes that serve, by their numbers; usually one.
function program_methods:workers()
	local list = {}
	for number in read(("/proc/%d/task/%d/children"):format(self.pid, self.pid)):gmatch("%d+") do
		list[#list + 1] = tonumber(number)
	end
	return list
end

--- The one that serves.
function program_methods:worker()
	return self:workers()[1]
end

--- Kills all its processes, as a power cut would.
function program_methods:kill()
	local numbers = table.concat(self:workers(), " ")
	os.execute(("kill -KILL %d %s"):format(self.pid, numbers))
	await("the end of its processes", function()
		return not os.execute("kill -0 " .. numbers .. " 2>/dev/null")
	end)
end

--- A figure of /proc: bytes of resident memory of the worker.
function program_methods:resident()
	return tonumber(read(("/proc/%d/status"):format(self:worker())):match("VmRSS:%s*(%d+) kB")) * 1024
end

function program_methods:descriptors()
	local pipe = io.popen(("ls /proc/%d/fd | wc -l"):format(self:worker()))
	local count = tonumber(pipe:read("l"))
	pipe:close()
	return count
end

--- Waits for its end; returns the exit code.
function program_methods:wait()
	local code = tonumber(self.pipe:read("l"))
	self.last_log = read(self.log_path)
	self.pipe:close()
	self.pipe = nil
	os.remove(self.log_path)
	return code
end

return {
	start = start,
	run = run,
	await = await,
	methods = program_methods,
	collect = collect,
	path = path,
	patience = patience,
	measures_memory = not find_sanitizer(),
}
