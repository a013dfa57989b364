-- Connections to names that have several addresses.

local name_server = require("tests.support.name_server")
local peers = require("tests.support.peer")
local server = require("tests.support.server")
local socket = require("socket")

local run = [[
local socket = require("tidegate.socket")
return function(request)
	local s <close>, message, code = socket.connect(request.query.host, tonumber(request.query.port),
		{ timeout = tonumber(request.query.timeout or "10") })
	return s and s.remote.address or message .. " | " .. code
end]]

describe("a connection", function()
	local gateway, names

	setup(function()
		names = name_server.start()
		gateway = server.start({ files = { ["handlers/run.lua"] = run }, flags = { "--dns-servers", names.address } })
	end)

	teardown(function()
		gateway:stop()
		names:stop()
	end)

	-- Whom it has connected to, and how long that took.
	local function connect(host, port, timeout)
		local began = socket.gettime()
		local body = gateway:get(("/run?host=%s&port=%d&timeout=%s"):format(host, port, timeout or 10)).body
		return body, socket.gettime() - began
	end

	-- A port on which somebody listens at both ::1 and 127.0.0.1.
	local function listen_at_both()
		for _ = 1, 100 do
			local six = peers.listen("::1")
			local four = socket.bind("127.0.0.1", six.port)
			if four then
				return six, four
			end
			six:close()
		end
		error("no port is free at both")
	end

	it("goes to an address of IPv4", function()
		local peer = peers.listen()
		assert.equal("127.0.0.1", (connect("here.test", peer.port)))
		peer:close()
	end)

	it("goes to an address of IPv6", function()
		local peer = peers.listen("::1")
		assert.equal("::1", (connect("here6.test", peer.port)))
		peer:close()
	end)

	it("prefers IPv6", function()
		local six, four = listen_at_both()
		assert.equal("::1", (connect("both.test", six.port)))
		six:close()
		four:close()
	end)

	it("goes to IPv4 at once when IPv6 refuses", function()
		local peer = peers.listen()
		local address, seconds = connect("both.test", peer.port)
		assert.equal("127.0.0.1", address)
		assert.is_true(seconds < 0.25, seconds)
		peer:close()
	end)

	it("goes to localhost at either address", function()
		local peer = peers.listen()
		assert.equal("127.0.0.1", (connect("localhost", peer.port)))
		peer:close()
	end)

	it("goes to IPv4 a little later when IPv6 is silent", function()
		local six = assert(socket.tcp6())
		assert(six:bind("::1", 0))
		assert(six:listen(0))
		local _, port = six:getsockname()
		local four = socket.bind("127.0.0.1", port)
		local fillers = {}
		for i = 1, 4 do
			fillers[i] = assert(socket.tcp6())
			fillers[i]:settimeout(0)
			fillers[i]:connect("::1", port)
		end
		local address, seconds = connect("both.test", port)
		assert.equal("127.0.0.1", address)
		assert.is_true(seconds >= 0.25 and seconds < 5, seconds)
		for _, filler in ipairs(fillers) do
			filler:close()
		end
		six:close()
		four:close()
	end)

	it("does not wait long for a name server that says nothing of IPv6", function()
		local peer = peers.listen()
		local address, seconds = connect("slow6.test", peer.port)
		assert.equal("127.0.0.1", address)
		assert.is_true(seconds >= 0.05 and seconds < 1, seconds)
		peer:close()
	end)

	local failures = {
		{ "there is no such name", "no.test", "cannot resolve no.test: there is no such name | resolve" },
		{ "the name servers are silent", "silent.test", "cannot resolve silent.test: timed out | timeout", 0.05 },
		{ "the name servers fail", "servfail.test", "cannot resolve servfail.test: the server failed | resolve" },
		{ "all addresses refuse", "both.test", "cannot connect to both.test:1: Connection refused | refused" },
	}
	for _, failure in ipairs(failures) do
		it("fails when " .. failure[1], function()
			assert.equal(failure[3], (connect(failure[2], 1, failure[4])))
		end)
	end
end)
