--- Somebody that handlers connect to: a socket of the spec's own, which speaks
-- byte for byte as the spec says.

local socket = require("socket")

local patience = require("tests.support.program").patience

local peer_methods = {}
local peer_mt = { __name = "peer", __index = peer_methods }

--- Listens on a port of the kernel's choice.
local function listen(address)
	local listener = assert(socket.bind(address or "127.0.0.1", 0))
	listener:settimeout(patience)
	local _, port = listener:getsockname()
	return setmetatable({ listener = listener, port = math.tointeger(port) }, peer_mt)
end

--- The next who connects.
function peer_methods:accept()
	local stream = assert(self.listener:accept())
	stream:settimeout(patience)
	stream:setoption("tcp-nodelay", true)
	return stream
end

function peer_methods:close()
	self.listener:close()
end

--- Closes so that the other side finds the connection reset.
local function reset(stream)
	stream:setoption("linger", { on = true, timeout = 0 })
	stream:close()
end

--- Copies bytes between two streams until either ends, or until `most` came
-- from the second.
local function pump(a, b, most)
	local others, count, limit = { [a] = b, [b] = a }, 0, socket.gettime() + patience
	a:settimeout(0)
	b:settimeout(0)
	while socket.gettime() < limit do
		for _, stream in ipairs((socket.select({ a, b }, nil, 1))) do
			local data, why, partial = stream:receive(65536)
			data = data or partial
			if stream == b then
				count = count + #data
				if most and count > most then return end
			end
			assert(#data == 0 or others[stream]:send(data))
			if why == "closed" then return end
		end
	end
	error("the two went on for too long")
end

return { listen = listen, reset = reset, pump = pump }
