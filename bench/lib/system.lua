--- Commands, files and folders, and what machine this is.

local lfs = require("lfs")
local socket = require("socket")

--- A word for the shell.
local function quote(text)
	return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- What a command prints, without white space at the end; nil if it fails.
local function output(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read("a")
	return pipe:close() and text:gsub("%s+$", "") or nil
end

--- The bytes of a file; nil if it cannot be read.
local function read(path)
	local file = io.open(path, "rb")
	local text = file and file:read("a")
	if file then
		file:close()
	end
	return text
end

--- Writes a file, whole or not at all, and makes the folders it stands in.
local function write(path, text)
	local folder = path:match("^(.*)/")
	if folder and not lfs.attributes(folder) then
		assert(os.execute("mkdir -p " .. quote(folder)))
	end
	local draft = path .. ".draft"
	local file = assert(io.open(draft, "wb"))
	assert(file:write(text))
	assert(file:close())
	assert(os.rename(draft, path))
end

--- The names in a folder that a pattern matches, sorted; its capture, if it
-- has one.
local function names(folder, pattern)
	local list = {}
	for name in lfs.dir(folder) do
		list[#list + 1] = name:match(pattern)
	end
	table.sort(list)
	return list
end

--- A folder of its own that servers which drop their privileges can read.
local function temporary_folder()
	local path = assert(output("mktemp -d /tmp/tidegate-bench.XXXXXX"))
	assert(os.execute("chmod 755 " .. quote(path)))
	return path
end

local function remove_folder(path)
	assert(path:find("^/tmp/tidegate%-bench%."))
	os.execute("rm -rf " .. quote(path))
end

--- A port of 127.0.0.1 that nobody has.
local function free_port()
	local listener = assert(socket.bind("127.0.0.1", 0))
	local _, port = listener:getsockname()
	listener:close()
	return math.tointeger(tonumber(port))
end

local programs = {}

--- Compiles bench/NAME.c, once in a run.  Returns the program's path.
local function compile(name)
	if not programs[name] then
		local path = "build/bench/" .. name
		assert(os.execute("mkdir -p build/bench && cc -O2 -o " .. path .. " bench/" .. name .. ".c"))
		programs[name] = path
	end
	return programs[name]
end

--- Processor, kernel and libraries, as the results name them.
local function describe()
	local memory = (read("/proc/meminfo") or ""):match("MemTotal:%s*(%d+)")
	return {
		processor = (read("/proc/cpuinfo") or ""):match("model name%s*:%s*([^\n]+)") or "unknown",
		cores = tonumber(output("getconf _NPROCESSORS_ONLN")),
		memory_mb = memory and memory // 1024,
		kernel = output("uname -sr"),
		system = (read("/etc/os-release") or ""):match('PRETTY_NAME="([^"]+)"'),
		load_before = tonumber((read("/proc/loadavg") or ""):match("^%S+")),
	}
end

return {
	quote = quote,
	output = output,
	read = read,
	write = write,
	names = names,
	temporary_folder = temporary_folder,
	remove_folder = remove_folder,
	free_port = free_port,
	compile = compile,
	describe = describe,
}
