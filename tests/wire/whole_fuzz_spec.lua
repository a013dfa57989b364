-- Random and mutated streams of bytes beside well-behaved clients, who must get
-- every answer right. TIDEGATE_SEED repeats a run.

local crowds = require("tests.support.crowd")
local program = require("tests.support.program")
local server = require("tests.support.server")
local socket = require("socket")

local streams = program.measures_memory and 10000 or 1500

local seeds = { -- what is mutated
	"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /hello?a=b&c=%20 HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nAccept-Encoding: gzip;q=0.5, br\r\n\r\n",
	"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
	"POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
	"PUT /stream HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n",
	"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /static/large HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,100-\r\nIf-Range: \"a\"\r\n\r\n",
	"GET /static/small HTTP/1.1\r\nHost: a\r\nRange: bytes=-5\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n",
	"GET /static/ HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
	"HEAD http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
}

local words = {
	"\r\n", "\r", "\n", "\0", ":", " ", "\t", "0", "-1", "99999999999999999999", "ffffffffffffffff", "Host: b\r\n", "Content-Length: 3\r\n",
	"Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "%00", "%zz", "..", "/", "?", "HTTP/1.1", "\r\n\r\n",
	("x"):rep(9000), ("a: b\r\n"):rep(120),
}

local mutations = {
	function(text, random) -- another byte
		local at = random(#text)
		return text:sub(1, at - 1) .. string.char(random(0, 255)) .. text:sub(at + 1)
	end,
	function(text, random) -- a word that means something
		local at = random(#text)
		return text:sub(1, at) .. words[random(#words)] .. text:sub(at + 1)
	end,
	function(text, random) -- the end is missing
		return text:sub(1, random(#text))
	end,
	function(text, random) -- a piece is missing
		local at = random(#text)
		return text:sub(1, at - 1) .. text:sub(at + random(10))
	end,
	function(text, random) -- a piece comes twice
		local from, to = random(#text), random(#text)
		return text:sub(1, to) .. text:sub(from)
	end,
	function(text, random) -- another request begins in its middle
		return text:sub(1, random(#text)) .. seeds[random(#seeds)]
	end,
	function(_, random) -- noise
		local bytes = {}
		for i = 1, random(200) do bytes[i] = string.char(random(0, 255)) end
		return table.concat(bytes)
	end,
}

local function make_stream(random)
	local text = ""
	for _ = 1, random(3) do
		text = text .. seeds[random(#seeds)]
	end
	for _ = 1, random(0, 4) do
		if #text > 0 then
			text = mutations[random(#mutations)](text, random)
		end
	end
	return text
end

local files = {
	["handlers/hello.lua"] = "return function() return 'hello' end",
	["handlers/echo.lua"] = "return function(request) return request:text() end",
	["handlers/pieces.lua"] = [[
		return function(request, response)
			for chunk in request:chunks() do response:write(chunk) end
			response:write(tostring(request.query.a))
		end]],
	["handlers/stream.lua"] = [[
		local timer = require("tidegate.timer")
		return function(_, response)
			for i = 1, 5 do response:write(("x"):rep(50000)) timer.sleep(0.001) end
		end]],
	["handlers/wait.lua"] = [[
		local timer = require("tidegate.timer")
		return function(request) timer.sleep(0.01) return { path = request.path, headers = request.headers } end]],
	["handlers/static/{path...}.lua"] = "return require('tidegate.static') { root = 'public', listing = true, precompressed = true }",
	["public/large"] = ("0123456789"):rep(100000),
	["public/small"] = "0123456789",
	["handlers/fail.lua"] = "return function() error('on purpose') end",
}

describe("a server that gets random bytes", function()
	local gateway, seed, random

	lazy_setup(function()
		gateway = server.start({ files = files, threads = 2, flags = { "--head-timeout", "2", "--body-timeout", "2" } })
		seed = math.tointeger(os.getenv("TIDEGATE_SEED") or os.time())
		math.randomseed(seed)
		random = math.random
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	-- Some streams in flight; each ends as its client likes.
	local flying = {}

	local function launch()
		local stream = assert(socket.connect("127.0.0.1", gateway.port))
		stream:settimeout(0)
		local text = make_stream(random)
		flying[#flying + 1] = { stream = stream, text = text, at = 1, step = random(3) == 1 and random(40) or 65536, manner = random(4) }
	end

	-- Sends a piece more; true when it is over.
	local function fly(flight)
		local stream = flight.stream
		if flight.at <= #flight.text then
			local last = math.min(#flight.text, flight.at + flight.step - 1)
			local sent, why, partial = stream:send(flight.text, flight.at, last)
			if why == "closed" then
				stream:close()
				return true
			end
			flight.at = (sent or partial) + 1
			return false
		end
		if flight.manner == 1 then -- leaves at once, with a reset
			stream:setoption("linger", { on = true, timeout = 0 })
			stream:close()
			return true
		elseif flight.manner == 2 and not flight.finished then -- only stops sending
			stream:shutdown("send")
			flight.finished = true
		elseif flight.manner == 3 then -- leaves in order
			stream:close()
			return true
		end
		flight.looks = (flight.looks or 0) + 1
		local _, why = stream:receive(8192)
		if why == "closed" or flight.looks > 20 then
			stream:close()
			return true
		end
		return false
	end

	local function bombard(count)
		local crowd = crowds.new({
			port = gateway.port, target = "/hello", kept = 4, single = 2,
			asked = function() return true end,
			answered = function(status, body) assert.same({ 200, "hello" }, { status, body }) end,
		})
		local launched = 0
		while launched < count or #flying > 0 do
			while #flying < 20 and launched < count do
				launch()
				launched = launched + 1
			end
			for i = #flying, 1, -1 do
				if fly(flying[i]) then table.remove(flying, i) end
			end
			crowd:run(0)
		end
		crowd:stop()
		return crowd.count
	end

	it("goes on serving those that behave, and forgets the others", function()
		local ok, message = pcall(function()
			bombard(streams // 4)
			program.await(function() return "the first connections to end" end, function()
				return gateway:descriptors() < 60
			end)
			local memory, descriptors = gateway:resident(), gateway:descriptors()
			local answers = bombard(streams)
			assert.is_true(answers >= 6, "few answers: " .. answers)
			program.await(function() return ("the descriptors: %d, not %d"):format(gateway:descriptors(), descriptors) end, function()
				return gateway:descriptors() <= descriptors
			end)
			local grown = gateway:resident() - memory
			assert.is_true(not program.measures_memory or grown < 16 * 2 ^ 20, ("%.1f MiB more"):format(grown / 2 ^ 20))
			assert.equal("hello", gateway:get("/hello").body)
		end)
		assert(ok, ("TIDEGATE_SEED=%d: %s"):format(seed, tostring(message)))
	end)
end)
