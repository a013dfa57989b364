-- _tcp.lua: connections that are not HTTP.

local program = require("tests.support.program")
local server = require("tests.support.server")
local socket = require("socket")

-- A port that nobody has, nor is given while the socket is kept; who shares it
-- by name may listen there.
local function free_port()
	local holder = socket.tcp4()
	assert(holder:setoption("reuseport", true))
	assert(holder:bind("127.0.0.1", 0))
	return math.tointeger((select(2, holder:getsockname()))), holder
end

local function service(port, body, more)
	return ("return { listen = '127.0.0.1:%d', %s serve = function(s) %s end }"):format(port, more or "", body)
end

local echo = "local line = s:read('line') while line do s:write('%s', line, '\\n') line = s:read('line') end"

describe("_tcp.lua", function()
	local gateway, port, holder, streams

	local function start(text, options)
		options = options or {}
		options.files = { ["handlers/_tcp.lua"] = text, ["handlers/x.lua"] = "return function() return 'x' end" }
		gateway = server.start(options)
	end

	local function connect()
		local stream = assert(socket.connect("127.0.0.1", port))
		stream:settimeout(program.patience)
		streams[#streams + 1] = stream
		return stream
	end

	local function ask(stream, line)
		assert(stream:send(line .. "\n"))
		return stream:receive("*l")
	end

	before_each(function()
		port, holder = free_port()
		streams = {}
	end)

	after_each(function()
		for _, stream in ipairs(streams) do
			stream:close()
		end
		gateway:stop()
		holder:close()
	end)

	it("serves connections beside HTTP", function()
		start(service(port, echo:format("> ")))
		local first, second = connect(), connect()
		assert.equal("> a", ask(first, "a"))
		assert.equal("> b", ask(second, "b"))
		assert.equal("x", gateway:get("/x").body)
	end)

	it("tells who has connected", function()
		start(service(port, "s:write(s.remote.address, ' ', s.remote.port)"))
		local stream = connect()
		assert.equal("127.0.0.1 " .. select(2, stream:getsockname()), stream:receive("*a"))
	end)

	it("is served by all threads #threads", function()
		start(service(port, "s:write(tostring(require('tidegate').thread))"), { threads = 4 })
		local seen, count = {}, 0
		for _ = 1, 500 do
			local number = connect():receive("*a")
			count = count + (seen[number] and 0 or 1)
			seen[number] = true
			if count > 1 then break end
		end
		assert.is_true(count > 1)
	end)

	it("closes a connection whose function raises, and says so", function()
		start(service(port, "s:write('a') error('ebb')"))
		assert.equal("a", connect():receive("*a"))
		gateway:wait_log("tcp: handlers/_tcp.lua:1: ebb")
	end)

	it("has new functions serve new connections, and the old ones finish", function()
		start(service(port, echo:format("old ")))
		local old = connect()
		assert.equal("old 1", ask(old, "1"))
		gateway:replace({ ["handlers/_tcp.lua"] = service(port, echo:format("new ")) })
		assert.equal("new 1", ask(connect(), "1"))
		assert.equal("old 2", ask(old, "2"))
	end)

	it("loses no connection at a reload #threads", function()
		start(service(port, "s:write('ok') s:close()"), { threads = 2 })
		local text = service(port, "s:write('ok') s:close()")
		for i = 1, 20 do
			local before = {}
			for n = 1, 5 do
				before[n] = connect()
			end
			gateway:replace({ ["handlers/_tcp.lua"] = text .. "\n-- " .. i })
			for n = 1, 5 do
				assert.equal("ok", before[n]:receive("*a"))
				assert.equal("ok", connect():receive("*a"))
			end
		end
	end)

	it("goes on with the old function when a reload fails", function()
		start(service(port, echo:format("old ")))
		gateway.project:write("handlers/_tcp.lua", "return { listen = '127.0.0.1:1' }")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("_tcp.lua:1: has no 'serve'", errors, 1, true)
		assert.equal("old 1", ask(connect(), "1"))
	end)

	it("fails a reload whose address cannot be had", function()
		start(service(port, echo:format("old ")))
		local taken = assert(socket.bind("127.0.0.1", 0))
		local number = math.tointeger((select(2, taken:getsockname())))
		gateway.project:write("handlers/_tcp.lua", service(number, "s:close()"))
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches(("cannot listen on 127.0.0.1:%d: Address already in use"):format(number), errors, 1, true)
		assert.equal("old 1", ask(connect(), "1"))
		taken:close()
	end)

	it("closes an address that is no longer named", function()
		start(service(port, echo:format("")))
		gateway.project:write("handlers/_tcp.lua", service((free_port()), "s:close()"))
		assert.equal(0, (select(3, gateway:reload())))
		program.await("it to be closed", function()
			return not socket.connect("127.0.0.1", port)
		end)
	end)

	it("serves so many at once, and the others wait", function()
		start(service(port, echo:format("")), nil)
		gateway:replace({ ["handlers/_tcp.lua"] = service(port, echo:format("> "), "connections = 2,") })
		local first, second, third = connect(), connect(), connect()
		assert.equal("> 1", ask(first, "1"))
		assert.equal("> 2", ask(second, "2"))
		third:settimeout(0.05)
		assert.is_nil((ask(third, "3")))
		third:settimeout(program.patience)
		first:close()
		assert.equal("> 3", third:receive("*l"))
	end)

	it("cancels what is open when the gateway stops", function()
		start(service(port, "s:write('hi\\n') s:timeout(false) s:read('all')"), { flags = { "--shutdown-timeout", "0.2" } })
		assert.equal("hi", connect():receive("*l"))
	end)

	it("cancels what is open at its generation's deadline", function()
		start(service(port, "s:write('hi\\n') s:timeout(false) s:read('all')"), { flags = { "--drain-timeout", "0.1" } })
		local stream = connect()
		assert.equal("hi", stream:receive("*l"))
		gateway:replace({})
		assert.same({ nil, "closed", "" }, { stream:receive(1) })
	end)

	local mistakes = {
		{ "return function() end", ":1: must return a table with 'listen' and 'serve', not a function" },
		{ "return { serve = print }", ":1: has no 'listen'" },
		{ "return {\n\tlisten = '127.0.0.1:0', serve = print }", ":2: cannot listen on '127.0.0.1:0': it is not ADDRESS:PORT" },
		{ "return {\n\tlisten = 9000, serve = print }", ":2: 'listen' must be a string, not a number" },
		{ "return {\n\tlisten = 'localhost:9', serve = print }", ":2: cannot listen on 'localhost:9': it is not ADDRESS:PORT" },
		{ "return { listen = '127.0.0.1:9', serve = print,\n\tservice = 1 }", ":2: unknown key 'service'; did you mean 'serve'?" },
		{ "return { listen = '127.0.0.1:9', serve = print,\n\tconnections = 0 }", ":2: 'connections' must be an integer from 1" },
	}
	for _, mistake in ipairs(mistakes) do
		it("is refused when it says " .. mistake[1]:gsub("%s+", " "), function()
			start(service(port, ""))
			gateway.project:write("handlers/_tcp.lua", mistake[1])
			local _, errors, code = gateway:reload()
			assert.equal(1, code)
			assert.matches("handlers/_tcp.lua" .. mistake[2], errors, 1, true)
		end)
	end

	it("names an address that no other file does", function()
		start(service(port, ""))
		gateway.project:write("handlers/a/_tcp.lua", service(port, ""))
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("another file listens there", errors, 1, true)
	end)
end)
