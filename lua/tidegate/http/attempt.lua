--- One request, sent, and the head of its response.

local core = require("tidegate.core.http")

local WITH_HEAD = 64 * 1024 -- content that is sent in one piece with the head

-- What closes the reply unless it was handed on.
local guard_mt = {
	__close = function(guard)
		if guard.reply then
			guard.reply:close()
		end
	end,
}

local function send_pieces(reply, produce)
	local guard <close> = setmetatable({ reply = reply }, guard_mt)
	for piece in produce do
		if type(piece) ~= "string" then
			error("a body function returns strings, and nil at the end, not a " .. type(piece), 0)
		end
		local framed = piece ~= "" and ("%x\r\n%s\r\n"):format(#piece, piece)
		if framed and not core.send(reply, framed) then
			guard.reply = nil
			return
		end
	end
	guard.reply = nil
	core.send(reply, "0\r\n\r\n", true)
end

local function send(reply, head, body)
	if not body then
		core.send(reply, head, true)
	elseif type(body) == "string" and #body <= WITH_HEAD then
		core.send(reply, head .. body, true)
	else
		core.send(reply, head)
		if type(body) == "function" then
			send_pieces(reply, body)
		else
			core.send(reply, body, true)
		end
	end
end

-- The response; or nil, message, code, and whether the connection was stale.
local function once(request, fresh)
	local plan = request.plan
	plan.fresh = fresh
	local reply, message, code = core.open(plan)
	if not reply then
		return nil, message, code
	end
	send(reply, request.head, request.body)
	local ok
	ok, message, code = core.receive(reply)
	if ok then
		return reply
	end
	return nil, message, code, core.is_stale(reply)
end

--- `request`: plan (of core.open), head, body, is_safe (it may be sent twice).
local function run(request)
	local reply, message, code, stale = once(request, false)
	if stale and request.is_safe then
		reply, message, code = once(request, true)
	end
	return reply, message, code
end

return { run = run }
