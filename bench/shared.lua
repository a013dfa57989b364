-- What the operations of a shared dictionary cost alone, and how they scale.
--     lua5.4 bench/shared.lua [MOST_THREADS]
--
-- Needs a release build and lua-socket.  Alone: in a plain Lua, less the loop
-- around it.  Then 1, 2 ... threads of a gateway do the same at once, each in
-- a request of its own: the operations a second of all together, and what one
-- costs in processor time, which other programs disturb less.

package.path = "lua/?.lua;lua/?/init.lua;./?.lua;" .. package.path
package.cpath = "build/release/modules/?.so;" .. package.cpath

local socket = require("socket")

local shared = require("tidegate.shared")

-- Each works on a dictionary; `own` is a number for each thread, i counts up.
local operations = {
	{ "incr, one key", "dict:incr('n')" },
	{ "incr, a key for each thread", "dict:incr(own)" },
	{ "incr, 1000 keys", "dict:incr(keys[i % 1000 + 1])" },
	{ "get of a number, 1000 keys", "dict:get(keys[i % 1000 + 1])" },
	{ "get of 100 bytes, 1000 keys", "dict:get(texts[i % 1000 + 1])" },
	{ "set of 100 bytes, 1000 keys", "dict:set(texts[i % 1000 + 1], text)" },
	{ "set of a table, 1000 keys", "dict:set(tables[i % 1000 + 1], { id = i, name = 'Ada' })" },
	{ "push and pop", "dict:push_last(list, i) dict:pop_first(list)", ", of both" },
}

local source = [[
local dict, own, rounds = ...
local text, keys, texts, tables = ("x"):rep(100), {}, {}, {}
for i = 1, 1000 do
	keys[i], texts[i], tables[i] = "key" .. i, "text" .. i, "table" .. i
	dict:incr(keys[i])
	dict:set(texts[i], text)
end
local list = "list" .. own
return function()
	for i = 1, rounds do
		%s
	end
end
]]

local function alone(code, rounds)
	local dict = shared.open("bench")
	dict:flush()
	local work = assert(load(source:format(code)))(dict, "own", rounds)
	local least = math.huge
	for _ = 1, 7 do
		local start = os.clock()
		work()
		least = math.min(least, (os.clock() - start) / rounds * 1e9)
	end
	return least
end

local rounds = 500000
local empty = alone("", rounds)
print("alone, in nanoseconds")
for _, operation in ipairs(operations) do
	print(("  %-30s %5.0f%s"):format(operation[1], alone(operation[2], rounds) - empty, operation[3] or ""))
end

-- A gateway that does them on several threads at once.

local server = require("tests.support.server")

local most = tonumber(arg[1]) or 4

local gateway = server.start({
	threads = most,
	flags = { "--time-limit", "60", "--time-slice", "0" },
	files = { ["handlers/run.lua"] = [[
		local dict = require("tidegate.shared").open("bench")
		local thread = require("tidegate").thread
		local source = [=[]] .. source .. [[]=]
		return {
			GET = function() return tostring(thread) end,
			POST = function(request)
				local work = assert(load(source:format(request:text())))(dict, "own" .. thread, ]] .. rounds .. [[)
				work()
				return "done"
			end,
		}]] },
})

-- The kernel chooses a connection's thread: tries until each has one.
local function connect()
	local clients, extra = {}, {}
	while #clients < most do
		local client = gateway:connect()
		local thread = tonumber(client:fetch("GET", "/run").body)
		if thread == #clients + 1 then
			clients[thread] = client
		else
			extra[#extra + 1] = client
		end
		assert(#extra < 1000, "the kernel prefers some threads")
	end
	for _, client in ipairs(extra) do
		client:close()
	end
	return clients
end

-- Seconds of processor time that the gateway has had.
local function processor_time()
	local file = assert(io.open(("/proc/%d/stat"):format(gateway:worker())))
	local user, system = file:read("a"):match("^.*%)" .. (" %S+"):rep(11) .. " (%d+) (%d+)")
	file:close()
	return (user + system) / 100
end

-- Millions a second, and nanoseconds of processor time for one.
local function together(clients, count, code)
	local most_done, least = 0, math.huge
	for _ = 1, 3 do
		local start, used = socket.gettime(), processor_time()
		for i = 1, count do
			clients[i]:ask("POST", "/run", nil, code)
		end
		for i = 1, count do
			assert(clients[i]:response().body == "done")
		end
		local done = count * rounds
		most_done = math.max(most_done, done / (socket.gettime() - start) / 1e6)
		least = math.min(least, (processor_time() - used) / done * 1e9)
	end
	return most_done, least
end

local function print_heading(text)
	local line = { ("\n%s\n  %-30s"):format(text, "threads") }
	for count = 1, most do
		line[#line + 1] = ("%7d"):format(count)
	end
	print(table.concat(line))
end

local function print_row(name, format, figures)
	local line = { ("  %-30s"):format(name) }
	for count, figure in ipairs(figures) do
		line[count + 1] = format:format(figure)
	end
	print(table.concat(line))
end

local clients = connect()
local speeds, costs = {}, {}
for i, operation in ipairs(operations) do
	speeds[i], costs[i] = {}, {}
	for count = 1, most do
		speeds[i][count], costs[i][count] = together(clients, count, operation[2])
	end
end
local pipe = io.popen("nproc")
print_heading(("millions a second, of all threads together, on %d processors"):format(pipe:read("n")))
pipe:close()
for i, operation in ipairs(operations) do
	print_row(operation[1], "%7.2f", speeds[i])
end
print_heading("nanoseconds of processor time for one, loop included")
for i, operation in ipairs(operations) do
	print_row(operation[1], "%7.0f", costs[i])
end
for _, client in ipairs(clients) do
	client:close()
end
gateway:stop()
