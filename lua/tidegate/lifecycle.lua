--- The functions a generation runs when it begins and when it is replaced.

local starts, stops = {}, {}
local is_loading = true

local function register(list, name)
	return function(fn)
		if type(fn) ~= "function" then
			error(name .. "() takes a function, not a " .. type(fn), 2)
		end
		if not is_loading then
			error(name .. "() belongs to the top level of a file: handlers have been loaded", 2)
		end
		list[#list + 1] = fn
	end
end

--- Runs what on_start has registered, in that order; an error ends it.
local function run_start()
	for _, fn in ipairs(starts) do
		fn()
	end
end

--- Runs what on_stop has registered; each is run, whatever the others do.
local function run_stop()
	local first
	for _, fn in ipairs(stops) do
		local ok, message = xpcall(fn, debug.traceback)
		first = first or (not ok and message) or nil
	end
	if first then
		error(first, 0)
	end
end

local function loaded()
	is_loading = false
end

return {
	on_start = register(starts, "on_start"),
	on_stop = register(stops, "on_stop"),
	run_start = run_start,
	run_stop = run_stop,
	loaded = loaded,
}
