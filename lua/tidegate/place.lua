--- Where a failure comes from.  A function that ends in a tail call, `return
-- f()`, has gone when f fails: neither the message nor the traceback has its
-- line.  The file is known all the same, and the line where the handler begins.

local tail = "\n\t(...tail calls...)"
local ours = "^tidegate:lua/[^\n]-:%d+: " -- lines of our own modules are of no use to anybody

-- The innermost line of a user's in a traceback.
local function nearest(frames)
	for source, line in frames:gmatch("\n\t([^\n%[(][^\n]-):(%d+): in ") do
		if not source:find("^tidegate:") then
			return source .. ":" .. line
		end
	end
end

-- Where the handler was: it is called from C, or by a layer of middleware.
local function mark(frames, place)
	local at
	for found, below in frames:gmatch("\n\t%(%.%.%.tail calls%.%.%.%)()\n?\t?([^\n]*)") do
		at = found
		if below:find("^%[C%]") or below:find("^tidegate:lua/tidegate/app.lua:") then
			break
		end
	end
	return ("%s\n\t%s: in the handler that begins here%s"):format(frames:sub(1, at - 1), place, frames:sub(at))
end

--- The traceback, which begins with the message, with the place of the handler
-- if it has not got it.
local function complete(traceback, handler)
	local at = traceback:find("\nstack traceback:\n", 1, true)
	local info = debug.getinfo(handler, "S")
	if not at or info.what == "C" then
		return traceback
	end
	local message, frames = traceback:sub(1, at - 1), traceback:sub(at)
	local bare = message:gsub(ours, "")
	local hidden = frames:find(tail, 1, true) and not frames:find("\n\t" .. info.short_src .. ":", 1, true)
	local place = info.short_src .. ":" .. info.linedefined
	if message ~= bare then
		message = (not hidden and nearest(frames) or place) .. ": " .. bare
	elseif hidden and not message:find("^[^\n]-:%d+: ") then
		message = place .. ": " .. message
	end
	return message .. (hidden and mark(frames, place) or frames)
end

--- Wraps failed(request, err, traceback); `find` gives the route of a request
-- as its second value.
local function completing(failed, find)
	return function(request, err, traceback)
		if traceback and (traceback:find(tail, 1, true) or traceback:find(ours)) then
			local _, target = find(request.method, request.path, request.host)
			local route = target and target.route
			local handler = route and (route.any or route.methods[request.method] or route.methods.GET)
			if handler then
				traceback = complete(traceback, handler)
			end
		end
		return failed(request, err, traceback)
	end
end

--- An error that was raised while a file was loading, with the line of that
-- file, or nearest to it, in place of one of ours; `otherwise` if there is none.
-- To be called by an error handler.
local function users(err, otherwise)
	if type(err) ~= "string" or not err:find(ours) then
		return err
	end
	return (nearest(debug.traceback("", 2)) or otherwise) .. ": " .. err:gsub(ours, "")
end

return { complete = complete, completing = completing, users = users }
