--- An HTTP client that shows everything: it sends what it is told, byte for
-- byte, and reads responses strictly.

local socket = require("socket")

local patience = require("tests.support.program").patience

local client_methods = {}
local client_mt = { __name = "client", __index = client_methods }

local function connect(where)
	local stream
	if type(where) == "string" then
		stream = require("socket.unix")()
		assert(stream:connect(where))
	else
		local address, port = "127.0.0.1", where
		if type(where) == "table" then
			address, port = where[1], where[2]
		end
		stream = assert(socket.connect(address, port))
		stream:setoption("tcp-nodelay", true)
	end
	stream:settimeout(patience)
	return setmetatable({ stream = stream }, client_mt)
end

function client_methods:send(...)
	assert(self.stream:send(table.concat({ ... })))
	return self
end

--- Sends a request; `headers` is a list of lines, a body gets its length.
function client_methods:ask(method, target, headers, body)
	local lines = { ("%s %s HTTP/1.1"):format(method, target), "Host: test" }
	for _, line in ipairs(headers or {}) do
		lines[#lines + 1] = line
	end
	if body then
		lines[#lines + 1] = "Content-Length: " .. #body
	end
	return self:send(table.concat(lines, "\r\n"), "\r\n\r\n", body or "")
end

local function line(self)
	local text, why, partial = self.stream:receive("*l")
	if not text then
		error(("the connection ended (%s) after %q"):format(why, partial), 0)
	end
	return (text:gsub("\r$", ""))
end

local function bytes(self, count)
	if count == 0 then
		return ""
	end
	local text, why = self.stream:receive(count)
	return text or error("the connection ended within a body: " .. why, 0)
end

local function fields(self)
	local list, by_name = {}, {}
	while true do
		local text = line(self)
		if text == "" then
			return by_name, list
		end
		local name, value = text:match("^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$")
		assert(name, "not a field: " .. text)
		name = name:lower()
		list[#list + 1] = { name, value }
		by_name[name] = by_name[name] and by_name[name] .. ", " .. value or value
	end
end

--- One piece of a chunked body; nil after the last.
function client_methods:chunk()
	local size = assert(tonumber(line(self), 16))
	local data = bytes(self, size)
	if size == 0 then
		self.trailers = fields(self)
		return nil
	end
	assert(line(self) == "", "no line end behind a chunk")
	return data
end

--- The head of the next response: status, headers (by lower-case name), list.
function client_methods:head()
	local text = line(self)
	local version, status, reason = text:match("^HTTP/(1%.[01]) (%d%d%d) (.*)$")
	assert(status, "not a status line: " .. text)
	local headers, list = fields(self)
	return { version = version, status = tonumber(status), reason = reason, headers = headers, list = list }
end

--- The next response, whole.  `method` is that of its request.
function client_methods:response(method)
	local response = self:head()
	local headers, status = response.headers, response.status
	if method == "HEAD" or status < 200 or status == 204 or status == 304 then
		response.body = ""
	elseif headers["transfer-encoding"] then
		assert(headers["transfer-encoding"] == "chunked")
		assert(not headers["content-length"], "two ways to end a body")
		local pieces = {}
		for piece in function() return self:chunk() end do
			pieces[#pieces + 1] = piece
		end
		response.body, response.chunks, response.trailers = table.concat(pieces), #pieces, self.trailers
	elseif headers["content-length"] then
		response.body = bytes(self, tonumber(headers["content-length"]))
	else
		response.body, response.until_close = self:rest(), true
	end
	return response
end

--- Asks, and waits for the response.
function client_methods:fetch(method, target, headers, body)
	return self:ask(method, target, headers, body):response(method)
end

--- All bytes up to the end of the connection.
function client_methods:rest()
	local text, why, partial = self.stream:receive("*a")
	assert(text or why == "closed", why)
	return text or partial
end

--- Says that no more will be sent.
function client_methods:finish()
	self.stream:shutdown("send")
	return self
end

--- Does the server close without another byte?
function client_methods:is_closed()
	local text, why, partial = self.stream:receive(1)
	return not text and why == "closed" and partial == ""
end

--- Is there nothing to read, and no end either?
function client_methods:is_silent(seconds)
	return #(socket.select({ self.stream }, nil, seconds or 0.05)) == 0
end

function client_methods:close()
	self.stream:close()
end

return { connect = connect }
