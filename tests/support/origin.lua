--- An origin that says what it is told, byte for byte: a listening socket, whose
-- connections are served by hand.

local socket = require("socket")

local patience = require("tests.support.program").patience

local visit_methods = {}
local visit_mt = { __name = "visit", __index = visit_methods }

local function take(self, size)
	return size == 0 and "" or assert(self.stream:receive(size))
end

--- The next request: { line, headers (by lower-case name), body }.
function visit_methods:request()
	local request = { headers = {}, line = assert(self.stream:receive("*l")) }
	for text in function() return assert(self.stream:receive("*l")) end do
		if text == "" then
			break
		end
		local name, value = text:match("^([^:]+): (.*)$")
		name = name:lower()
		assert(not request.headers[name] or name == "x-many", "a field came twice: " .. text)
		request.headers[name] = value
	end
	local headers = request.headers
	assert(not (headers["content-length"] and headers["transfer-encoding"]), "two ways to end a body")
	if headers["transfer-encoding"] then
		request.body, request.chunks = "", {}
		repeat
			local size = tonumber(assert(self.stream:receive("*l")), 16)
			local data = take(self, size)
			request.body = request.body .. data
			request.chunks[#request.chunks + 1] = data
			assert(self.stream:receive("*l") == "")
		until size == 0
	else
		request.body = take(self, tonumber(headers["content-length"] or 0))
	end
	return request
end

function visit_methods:send(...)
	assert(self.stream:send(table.concat({ ... })))
	return self
end

--- A response with content.
function visit_methods:answer(body, status, fields)
	return self:send(("HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n%s"):format(status or "200 OK", fields or "", #body, body))
end

--- Has the other side closed?
function visit_methods:is_closed()
	local data, why = self.stream:receive(1)
	return not data and why == "closed"
end

function visit_methods:close()
	self.stream:close()
end

--- Closes so that the other side hears a reset.
function visit_methods:reset()
	self.stream:setoption("linger", { on = true, timeout = 0 })
	self.stream:close()
end

local origin_methods = {}
local origin_mt = { __name = "origin", __index = origin_methods }

--- The next connection.
function origin_methods:accept()
	local stream, why = self.listener:accept()
	assert(stream, "nobody has connected: " .. tostring(why))
	stream:settimeout(patience)
	return setmetatable({ stream = stream }, visit_mt)
end

--- Has nobody connected?
function origin_methods:is_quiet(seconds)
	return #socket.select({ self.listener }, nil, seconds or 0.05) == 0
end

function origin_methods:close()
	self.listener:close()
end

--- One on a port of the kernel's choice, or on `path`.
local function listen(path)
	local self = setmetatable({}, origin_mt)
	if path then
		self.listener = require("socket.unix")()
		assert(self.listener:bind(path))
		assert(self.listener:listen(32))
	else
		self.listener = assert(socket.bind("127.0.0.1", 0))
		local _, port = self.listener:getsockname()
		self.port = math.tointeger(tonumber(port))
		self.url = "http://127.0.0.1:" .. self.port
	end
	self.listener:settimeout(patience)
	return self
end

return { listen = listen }
