--- Runs works: starts the servers of one, checks them, and measures them round
-- by round, each in turn, so that what else the machine does hits all of them.

local origins = require("bench.lib.origin")
local servers = require("bench.lib.server")
local statistics = require("bench.lib.statistics")
local system = require("bench.lib.system")
local throughput = require("bench.lib.throughput")

local too_noisy = 0.1 -- rounds that are further apart say little
local tries = 3

--- All works or all peers: the modules in a folder, in their order.  `chosen`,
-- if given, is a list of names.
local function load_all(folder, chosen)
	local list, known = {}, {}
	for _, name in ipairs(system.names("bench/" .. folder, "^([%w_]+)%.lua$")) do
		local item = require("bench." .. folder .. "." .. name)
		item.name = name
		known[name] = item
		list[#list + 1] = item
	end
	if chosen then
		list = {}
		for i, name in ipairs(chosen) do
			list[i] = known[name] or error(("there is no '%s' in bench/%s"):format(name, folder), 0)
		end
		return list
	end
	table.sort(list, function(a, b) return a.order < b.order end)
	return list
end

local function say(...)
	io.stderr:write(...)
	io.stderr:flush()
end

-- Starts a peer, or tells why not.
local function begin(peer, work, origin)
	local server = servers.start(peer, work, origin)
	local ok, message = server:await()
	if ok then
		ok, message = server:check()
	end
	if ok then
		server.idle = server.process:memory()
		return server
	end
	server:stop()
	return nil, message
end

local function begin_all(work, peers, origin, left_out)
	local running = {}
	for _, peer in ipairs(peers) do
		if work.handlers[peer.name] then
			local server, message = begin(peer, work, origin)
			if server then
				running[#running + 1] = server
			else
				left_out[#left_out + 1] = { peer = peer.name, why = message }
				say("  ", peer.name, " is left out: ", message, "\n")
			end
		end
	end
	return running
end

-- One round of one server.  A peer that fails again and again is left out
-- from then on; once may be the fault of what else the machine does.
local function turn(server, measure, settings)
	for _ = 1, server.failure and 0 or tries do
		local ok, row = pcall(measure, server, settings)
		if ok then
			server.failure = nil
			return row
		end
		server.failure = tostring(row)
		say(" ", server.peer.name, " fails: ", server.failure, "\n")
	end
	return nil
end

local function summary(rows, columns)
	local median = {}
	for _, column in ipairs(columns) do
		median[column.key] = statistics.median(statistics.column(rows, column.key))
	end
	return median
end

-- `ours` is the result to compare with, nil if there is none.
local function compare(result, ours, key)
	local values = statistics.column(result.rounds, key)
	result.spread = statistics.spread(values)
	if ours then
		result.ratio = statistics.ratio(statistics.column(ours.rounds, key), values)
	end
end

local function measure_all(running, work, columns, settings)
	local measure = work.measure or throughput.measure
	local rounds = math.min(settings.rounds, work.rounds or settings.rounds)
	local results = {}
	for i, server in ipairs(running) do
		results[i] = { peer = server.peer.name, title = server.peer.title, rounds = {} }
		if not work.measure then
			turn(server, measure, { seconds = 1, load_core = settings.load_core }) -- to warm it up
		end
	end
	for round = 1, rounds do
		for i, server in ipairs(running) do
			results[i].rounds[round] = turn(server, measure, settings)
			say(".")
		end
	end

	local whole, ours = {}, nil
	for i, result in ipairs(results) do
		if #result.rounds == rounds then
			result.median = summary(result.rounds, columns)
			ours = result.peer == "tidegate" and result or ours
			whole[#whole + 1] = result
			compare(result, ours, columns[1].key)
			result.noisy = result.spread > too_noisy
		else
			result.failure = running[i].failure
		end
	end
	return whole
end

--- Runs one work.  Returns a table: name, title, about, columns, results (by
-- peer: rounds, median, spread, noisy, ratio) and left_out.
local function run(work, peers, settings)
	say(work.name, " ")
	local left_out = {}
	local columns = work.columns or throughput.columns
	local origin = work.origin and origins.start(work.origin, settings.load_core)
	local running = begin_all(work, peers, origin, left_out)
	local ok, results = xpcall(measure_all, debug.traceback, running, work, columns, settings)
	for _, server in ipairs(running) do
		server:stop()
		if server.failure then
			left_out[#left_out + 1] = { peer = server.peer.name, why = server.failure }
		end
	end
	if origin then
		origin:stop()
	end
	assert(ok, results)
	say("\n")
	return {
		name = work.name,
		order = work.order,
		title = work.title,
		about = work.about,
		columns = columns,
		results = results,
		left_out = left_out,
	}
end

return { load_all = load_all, run = run, too_noisy = too_noisy }
