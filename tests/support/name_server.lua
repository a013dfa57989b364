--- A DNS server for specs: a child process that answers by UDP on a port of
-- the kernel's choice.  What it knows is below; each name that is asked for is
-- a line of its log.

local program = require("tests.support.program")

-- By name: addresses by type, and what is odd about the answer.
local zone = {
	["a.test"] = { A = { "192.0.2.1" }, AAAA = { "2001:db8::1" }, ttl = 60 },
	["many.test"] = { A = { "192.0.2.1", "192.0.2.2", "192.0.2.3" }, ttl = 60 },
	["deep.inner.test"] = { A = { "192.0.2.7" }, ttl = 60 },
	["short.test"] = { A = { "192.0.2.1" }, ttl = 1 },
	["never.test"] = { A = { "192.0.2.1" }, ttl = 0 },
	["slow.test"] = { A = { "192.0.2.1" }, ttl = 60, delay = 0.1 },
	["slower.test"] = { A = { "192.0.2.1" }, ttl = 60, delay = 0.1 },
	["silent.test"] = { silent = true },
	["noise.test"] = { A = { "192.0.2.1" }, ttl = 60, before = "noise" },
	["broken.test"] = { A = { "192.0.2.1" }, ttl = 60, before = "garbage" },
	["wrong.test"] = { A = { "192.0.2.1" }, ttl = 60, before = "wrong id" },
	["other.test"] = { A = { "192.0.2.1" }, ttl = 60, before = "other question" },
	["servfail.test"] = { code = 2 },
	["refused.test"] = { code = 5 },
	["cut.test"] = { cut = true },
	["here.test"] = { A = { "127.0.0.1" }, ttl = 60 },
	["here6.test"] = { AAAA = { "::1" }, ttl = 60 },
	["both.test"] = { A = { "127.0.0.1" }, AAAA = { "::1" }, ttl = 60 },
	["slow6.test"] = { A = { "127.0.0.1" }, AAAA = { "::1" }, ttl = 60, silent6 = true },
	["1.2.0.192.in-addr.arpa"] = { PTR = { "a.test" }, ttl = 60 },
	["2.2.0.192.in-addr.arpa"] = { PTR = { "no name" }, ttl = 60 },
	[("1.0.0.0." .. ("0."):rep(20) .. "8.b.d.0.1.0.0.2.ip6.arpa")] = { PTR = { "a.test" }, ttl = 60 },
}

local types = { [1] = "A", [12] = "PTR", [28] = "AAAA" }

local function encode_name(name)
	return (name:gsub("([^.]*)%.?", function(label)
		return label ~= "" and string.pack("s1", label) or ""
	end)) .. "\0"
end

local function encode_address(text)
	if text:find(":", 1, true) then
		local head, tail = text:match("^(.-)::(.*)$")
		local words = function(part)
			return (part:gsub("(%x+):?", function(word) return string.pack(">I2", tonumber(word, 16)) end))
		end
		head, tail = words(head), words(tail)
		return head .. ("\0"):rep(16 - #head - #tail) .. tail
	end
	return string.char(text:match("(%d+)%.(%d+)%.(%d+)%.(%d+)"))
end

local function read_question(packet)
	local labels, at = {}, 13
	while packet:byte(at) ~= 0 do
		local label
		label, at = string.unpack("s1", packet, at)
		labels[#labels + 1] = label
	end
	local number = string.unpack(">I2", packet, at + 1)
	return table.concat(labels, "."), types[number] or number, packet:sub(13, at + 4)
end

local function answer_to(packet, question, known, kind)
	local records = {}
	for _, text in ipairs(known and known[kind] or {}) do
		local data = kind == "PTR" and encode_name(text) or encode_address(text)
		records[#records + 1] = string.pack(">I2I2I2I4s2", 0xC00C,
			({ A = 1, PTR = 12, AAAA = 28 })[kind], 1, known.ttl, data)
	end
	local code = not known and 3 or known.code or 0
	local flags = 0x8180 | code | (known and known.cut and 0x0200 or 0)
	return packet:sub(1, 2) .. string.pack(">I2I2I2I2I2", flags, 1, #records, 0, 0) .. question .. table.concat(records)
end

local odd = {
	["noise"] = function() return "\xFF\0\xFF" end,
	["garbage"] = function(answer) return answer:sub(1, 4) .. ("\xFF"):rep(40) end,
	["wrong id"] = function(answer)
		return string.pack(">I2", string.unpack(">I2", answer) ~ 0x5555) .. answer:sub(3, -5) .. "\192\0\2\66"
	end,
	["other question"] = function(answer)
		return (answer:gsub("[oO][tT][hH][eE][rR]", "mouse"):gsub("....$", "\192\0\2\66"))
	end,
}

--- The child: serves until it is killed, ten minutes at most.
local function serve(log_path)
	local socket = require("socket")
	local udp = assert(socket.udp())
	assert(udp:setsockname("127.0.0.1", 0))
	local log = assert(io.open(log_path, "a"))
	log:setvbuf("line")
	print((select(2, udp:getsockname())))
	io.stdout:flush()
	local later, limit = {}, socket.gettime() + 600
	while socket.gettime() < limit do
		udp:settimeout(later[1] and math.max(0, later[1].due - socket.gettime()) or 10)
		local packet, address, port = udp:receivefrom(512)
		if packet and #packet > 16 then
			local name, kind, question = read_question(packet)
			local known = zone[name:lower()]
			log:write(kind, " ", name:lower(), "\n")
			local answer = answer_to(packet, question, known, kind)
			if known and known.before then
				udp:sendto(odd[known.before](answer), address, port)
			end
			if known and known.delay then
				later[#later + 1] = { due = socket.gettime() + known.delay, answer = answer, address = address, port = port }
			elseif not known or not (known.silent or known.silent6 and kind == "AAAA") then
				udp:sendto(answer, address, port)
			end
		end
		while later[1] and later[1].due <= socket.gettime() do
			local item = table.remove(later, 1)
			udp:sendto(item.answer, item.address, item.port)
		end
	end
end

local server_methods = {}
local server_mt = { __name = "name server", __index = server_methods }

local function start()
	local log_path = os.tmpname()
	local pipe = assert(io.popen(("exec 2>&1; echo $$; exec lua5.4 tests/support/name_server.lua %s"):format(log_path)))
	local pid = assert(tonumber(pipe:read("l")))
	local port = assert(pipe:read("l"))
	assert(tonumber(port), port)
	return setmetatable({ pipe = pipe, pid = pid, log_path = log_path, address = "127.0.0.1:" .. port }, server_mt)
end

--- How often it was asked, "A a.test".
function server_methods:count(question)
	local count = 0
	for line in io.lines(self.log_path) do
		count = count + (line == question and 1 or 0)
	end
	return count
end

--- Waits until it was asked so often.
function server_methods:await(question, count)
	program.await(question, function() return self:count(question) >= (count or 1) end)
end

function server_methods:stop()
	os.execute(("kill %d 2>/dev/null"):format(self.pid))
	self.pipe:close()
	os.remove(self.log_path)
end

server_mt.__gc = function(self)
	if self.pipe and io.type(self.pipe) == "file" then
		self:stop()
	end
end

if arg and arg[0] and arg[0]:find("name_server%.lua$") then
	serve(arg[1])
else
	return { start = start }
end
