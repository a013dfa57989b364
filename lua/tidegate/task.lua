--- Work beside the work; see docs/task.md.

local event = require("tidegate.core.event")
local queue = require("tidegate.core.queue")
local semaphore = require("tidegate.core.semaphore")
local core = require("tidegate.core.task")

local spawn = core.spawn

-- Handles of what the table holds, functions or handles, with their keys; the
-- order of a list is kept.
local function start(work, name)
	if type(work) ~= "table" then
		error(("%s() takes a table of functions and tasks, not a %s"):format(name, type(work)), 3)
	end
	local handles, keys = {}, {}
	local function add(key, what)
		handles[#handles + 1] = type(what) == "function" and spawn(what) or what
		keys[#keys + 1] = key
	end
	for key, what in ipairs(work) do
		add(key, what)
	end
	for key, what in pairs(work) do
		if not (math.type(key) == "integer" and 1 <= key and key <= #work) then
			add(key, what)
		end
	end
	return handles, keys
end

local function cancel_all(handles)
	for _, handle in ipairs(handles) do
		handle:cancel()
	end
end

local function take(handles, keys, index)
	return table.remove(handles, index), table.remove(keys, index)
end

--- Runs all at once and waits for them.  Returns a table with the first result
-- of each, under its key.  An error of one cancels the others and is raised.
local function all(work)
	local handles, keys = start(work, "all")
	local results = {}
	while #handles > 0 do
		local handle, key = take(handles, keys, core.first(handles))
		local ok, result = pcall(handle.wait, handle)
		if not ok then
			cancel_all(handles)
			error(result, 0)
		end
		results[key] = result
	end
	return results
end

--- Runs all at once; what the first one to end returns or raises, this does.
-- The others are cancelled.
local function race(work)
	local handles, keys = start(work, "race")
	local handle = take(handles, keys, core.first(handles))
	cancel_all(handles)
	return handle:wait()
end

local function describe(failures)
	local lines = {}
	for _, failure in ipairs(failures) do
		lines[#lines + 1] = ("%s: %s"):format(failure.key, tostring(failure.message))
	end
	return "all tasks failed: " .. table.concat(lines, "; ")
end

--- Runs all at once; returns what the first one returns that does not raise.
-- The others are cancelled.  Raises if all of them have.
local function any(work)
	local handles, keys = start(work, "any")
	local failures = {}
	while #handles > 0 do
		local handle, key = take(handles, keys, core.first(handles))
		local outcome = table.pack(pcall(handle.wait, handle))
		if outcome[1] and handle:status() == "returned" then
			cancel_all(handles)
			return table.unpack(outcome, 2, outcome.n)
		end
		failures[#failures + 1] = { key = tostring(key), message = outcome[1] and "cancelled" or outcome[2] }
	end
	error(describe(failures), 2)
end

--- What fn(...) returns or raises; or nil, "timed out", "timeout" if it takes
-- longer than so many seconds: then it is cancelled.
local function timeout(seconds, fn, ...)
	local handle = spawn(fn, ...)
	if core.first({ handle }, seconds) then
		return handle:wait()
	end
	handle:cancel()
	return nil, "timed out", "timeout"
end

return {
	spawn = spawn,
	all = all,
	race = race,
	any = any,
	timeout = timeout,
	semaphore = semaphore,
	mutex = function() return semaphore(1) end,
	queue = queue,
	event = event,
}
