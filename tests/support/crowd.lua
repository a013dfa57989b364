--- Many clients at once, in one Lua state: each asks again as soon as it is
-- answered, on one kept connection or on a new one each time.

local socket = require("socket")

local crowd_methods = {}
local crowd_mt = { __name = "crowd", __index = crowd_methods }

local function open(self, member)
	member.stream = assert(socket.connect("127.0.0.1", self.port))
	member.stream:settimeout(0)
	self.by_stream[member.stream] = member
	member.got = ""
end

local function ask(self, member)
	if not member.stream then
		open(self, member)
	end
	member.asked = self.asked()
	local close = member.kept and "" or "Connection: close\r\n"
	local request = ("GET %s HTTP/1.1\r\nHost: crowd\r\n%s\r\n"):format(self.target, close)
	local sent = member.stream:send(request) == #request
	assert(sent or self.lost, "a request did not go out") -- who reads will see the end
end

local function drop(self, member)
	self.by_stream[member.stream] = nil
	member.stream:close()
	member.stream = nil
end

-- The answer, if it is whole.
local function answer(got)
	local head, behind = got:match("^(.-\r\n)\r\n()")
	if head then
		local length = tonumber(head:match("\r\n[Cc]ontent%-[Ll]ength: (%d+)\r\n"))
		assert(length, "an answer without a length: " .. head)
		if #got >= behind + length - 1 then
			return tonumber(head:match("^HTTP/1.1 (%d+)")), got:sub(behind), head:find("\r\nConnection: close", 1, true)
		end
	end
end

local function receive(self, member)
	local data, why, partial = member.stream:receive(65536)
	member.got = member.got .. (data or partial)
	local status, body, closes = answer(member.got)
	if status then
		self.count = self.count + 1
		self.answered(status, body, member.asked)
		member.asked, member.got = nil, ""
		if closes or not member.kept then
			drop(self, member)
		end
		if not self.stopped then
			ask(self, member)
		end
	elseif why == "closed" and self.lost then
		self.lost(member)
		drop(self, member)
		member.asked = nil
		if not self.stopped then
			ask(self, member)
		end
	elseif why == "closed" then
		error(("client %d lost its connection after %q"):format(member.number, member.got))
	end
end

--- Goes on for so many seconds.
function crowd_methods:run(seconds)
	local limit = socket.gettime() + seconds
	repeat
		local streams = {}
		for stream in pairs(self.by_stream) do
			streams[#streams + 1] = stream
		end
		local left = math.max(0, limit - socket.gettime())
		for _, stream in ipairs((socket.select(streams, nil, left))) do
			receive(self, self.by_stream[stream])
		end
	until socket.gettime() >= limit
end

--- Hears what is still to come, then closes all.
function crowd_methods:stop()
	self.stopped = true
	local limit = socket.gettime() + 30
	for _, member in ipairs(self) do
		while member.asked do
			local ready = socket.select({ member.stream }, nil, limit - socket.gettime())
			assert(ready[1], "an answer never came")
			receive(self, member)
		end
		if member.stream then
			drop(self, member)
		end
	end
end

--- `options`: port, target, kept and single (how many clients of each kind),
-- asked() -> a value kept with each request, answered(status, body, value), and
-- maybe lost(member): a connection may end before its answer.
local function new(options)
	local self = setmetatable(options, crowd_mt)
	self.by_stream, self.count = {}, 0
	for number = 1, options.kept + options.single do
		local member = { number = number, kept = number <= options.kept }
		self[number] = member
		ask(self, member)
	end
	return self
end

return { new = new }
