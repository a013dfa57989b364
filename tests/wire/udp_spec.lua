-- Datagrams, with the spec at the other end.

local around = require("tests.support.around")
local socket = require("socket")

local run = [[
local socket = require("tidegate.socket")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

return { limits = { wait = 600 }, POST = function(request)
	local u <close> = socket.udp()
	local values = table.pack(assert(load("local u, socket, task, timer, port = ... " .. request:text(), "=run"))(
		u, socket, task, timer, tonumber(request.query.port)))
	for i = 1, values.n do
		values[i] = tostring(values[i])
	end
	return table.concat(values, " | ")
end }]]

describe("socket.udp", function()
	local connection, peer, port
	around({ files = { ["handlers/run.lua"] = run } }, function(_, c)
		connection = c
	end)

	before_each(function()
		peer = assert(socket.udp())
		assert(peer:setsockname("127.0.0.1", 0))
		peer:settimeout(60)
		port = select(2, peer:getsockname())
	end)

	after_each(function()
		peer:close()
	end)

	local function begin(code)
		connection:ask("POST", "/run?port=" .. port, { "Accept: text/plain" }, code)
	end

	local function result()
		return connection:response().body
	end

	local function value_of(code)
		begin(code)
		return result()
	end

	it("sends and receives", function()
		begin("assert(u:send('ping', '127.0.0.1', port)) local data, address, its = u:receive() return data, address, its == port")
		local data, address, its = peer:receivefrom()
		assert.equal("ping", data)
		peer:sendto("pong", address, its)
		assert.equal("pong | 127.0.0.1 | true", result())
	end)

	it("hears only whom it is connected to", function()
		begin("assert(u:connect('127.0.0.1', port)) assert(u:send('ping')) return (u:receive())")
		local _, address, its = peer:receivefrom()
		local other = assert(socket.udp())
		other:sendto("evil", address, its)
		peer:sendto("good", address, its)
		assert.equal("good", result())
		other:close()
	end)

	it("has an address of its own", function()
		assert.equal("true | 127.0.0.1 | true", value_of("return u:bind('127.0.0.1'), u.address, u.port > 1023"))
		assert.equal("nil | nil", value_of("return u.address, u.port"))
	end)

	it("keeps datagrams apart, empty ones too", function()
		assert.equal(" | a | 60000", value_of("u:bind('127.0.0.1') local s = socket.udp() for _, data in ipairs{ '', 'a', ('x'):rep(60000) } do "
			.. "assert(s:send(data, u.address, u.port)) end local a, b, c = u:receive(), nil, nil b = u:receive() c = u:receive() return a, b, #c"))
	end)

	it("speaks IPv6", function()
		assert.equal("hi | ::1", value_of("assert(u:bind('::1')) local s = socket.udp() s:send('hi', '::1', u.port) "
			.. "local data, address = u:receive() return data, address"))
	end)

	local failures = {
		{ "times out", "u:bind('127.0.0.1') return u:receive{ timeout = 0.01 }", "nil | timed out | timeout" },
		{ "is for one who receives at a time", "u:bind('127.0.0.1') task.spawn(u.receive, u) timer.sleep(0.001) return u:receive()",
			"nil | another task receives from this socket | busy" },
		{ "ends who receives when it is closed", "u:bind('127.0.0.1') local h = task.spawn(u.receive, u) timer.sleep(0.001) u:close() return h:wait()",
			"nil | closed | closed" },
		{ "stays closed", "u:close() local a, b, c = u:receive() return a, b, c, u:close(), (u:bind('127.0.0.1')), u.port",
			"nil | closed | closed | false | nil | nil" },
		{ "says that nobody is there", "u:connect('127.0.0.1', 1) u:send('x') return select(3, u:receive{ timeout = 5 })", "refused" },
		{ "says that a datagram is too long", "return select(3, u:send(('x'):rep(70000), '127.0.0.1', port))", "EMSGSIZE" },
		{ "says that an address is taken", "return select(3, u:bind('127.0.0.1', port))", "EADDRINUSE" },
		{ "is of one family", "u:bind('127.0.0.1') return select(3, u:send('x', '::1', 1))", "EAFNOSUPPORT" },
	}
	for _, failure in ipairs(failures) do
		it(failure[1], function()
			assert.equal(failure[3], value_of(failure[2]))
		end)
	end

	local misuses = {
		{ "u:bind('localhost')", "not an address" },
		{ "u:bind('127.0.0.1', 65536)", "not a port" },
		{ "u:connect('127.0.0.1', 0)", "not a port" },
		{ "u:send('x')", "to whom? it is not connected" },
		{ "u:receive()", "nothing comes: it has no address yet" },
		{ "u:bind('127.0.0.1') u:receive{ time = 1 }", "unknown option 'time' of receive" },
		{ "u.send({}, 'x')", "tidegate.udp expected" },
	}
	for _, misuse in ipairs(misuses) do
		it("raises at " .. misuse[1], function()
			assert.matches(misuse[2], value_of(("return select(2, pcall(function() %s end))"):format(misuse[1])), 1, true)
		end)
	end
end)
