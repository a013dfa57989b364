local around = require("tests.support.around")
local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local signature = "\r\n\r\n\0\r\nQUIT\n"
local ends4 = "\xc0\0\2\1\xc0\0\2\2\x30\x39\0\x50" -- 192.0.2.1:12345 to 192.0.2.2:80
local ends6 = ("\x20\x01\x0d\xb8" .. ("\0"):rep(11) .. "\1"):rep(2) .. "\xff\xff\0\x50"

local function v2(command, family, content)
	return signature .. string.char(command, family) .. (">s2"):pack(content or "")
end

-- RFC 3385, a bit at a time
local function crc32c(text)
	local sum = 0xffffffff
	for i = 1, #text do
		sum = sum ~ text:byte(i)
		for _ = 1, 8 do
			sum = sum >> 1 ~ (sum & 1) * 0x82f63b78
		end
	end
	return ~sum & 0xffffffff
end

local function summed(command, family, content)
	local zeroed = v2(command, family, content .. "\3\0\4\0\0\0\0")
	return zeroed:sub(1, -5) .. (">I4"):pack(crc32c(zeroed))
end

local files = {
	["handlers/who.lua"] = [[
return function(request)
	return ("%s %d by %s"):format(request.remote.address, request.remote.port, request.peer.address)
end]],
	["handlers/peer.lua"] = "return function(request) return tostring(request.peer.port) end",
}

-- A project that listens at `address` for connections with a header.
local function project_at(address, trusted, more)
	local project = projects.new(files)
	project:write("tidegate.lua", ("return { listen = { %s { %q, proxy_protocol = true } }, trusted_proxies = %s }"):format(
		more or "", address, trusted))
	return project
end

local function options_at(address, trusted, more)
	return { project = project_at(address, trusted, more), listen = {}, threads = 1, listeners = more and 2 or 1 }
end

local function port_of(gateway)
	return tonumber(gateway:log():match("listening on http://[%w.:%[%]]+:(%d+)\n"))
end

local who = "GET /who HTTP/1.1\r\nHost: x\r\n\r\n"

describe("a listener with proxy_protocol", function()
	local gateway, connection, project

	around(function()
		local options = options_at("127.0.0.1:0", "'loopback'")
		project = options.project
		return options
	end, function(g, c)
		gateway, connection = g, c
	end)

	lazy_teardown(function()
		project:delete()
	end)

	local good = {
		{ "version 1 of IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\r\n", "192.0.2.1 12345 by 127.0.0.1" },
		{ "version 1 of IPv6", "PROXY TCP6 2001:db8::1 ::1 1 80\r\n", "2001:db8::1 1 by 127.0.0.1" },
		{ "version 2 of IPv4", v2(0x21, 0x11, ends4), "192.0.2.1 12345 by 127.0.0.1" },
		{ "version 2 of IPv6", v2(0x21, 0x21, ends6), "2001:db8::1 65535 by 127.0.0.1" },
		{ "version 2 of a unix socket", v2(0x21, 0x31, ("/run/x"):rep(36)), " 0 by 127.0.0.1" },
		{ "version 2 with extensions", v2(0x21, 0x11, ends4 .. "\4\0\3abc\x05\0\1x"), "192.0.2.1 12345 by 127.0.0.1" },
		{ "version 2 with its checksum", summed(0x21, 0x21, ends6 .. "\4\0\1x"), "2001:db8::1 65535 by 127.0.0.1" },
		{ "the longest of version 2", v2(0x21, 0x11, ends4 .. "\4" .. (">s2"):pack(("x"):rep(4065))),
			"192.0.2.1 12345 by 127.0.0.1" },
	}
	for _, case in ipairs(good) do
		it("takes the client from " .. case[1], function()
			connection:send(case[2], who)
			assert.equal(case[3], connection:response().body)
		end)
	end

	local nobody = {
		{ "UNKNOWN", "PROXY UNKNOWN\r\n" },
		{ "UNKNOWN with more", "PROXY UNKNOWN 192.0.2.1 x\r\n" },
		{ "LOCAL", v2(0x20, 0x00) },
		{ "LOCAL with addresses", v2(0x20, 0x11, ends4) },
		{ "UNSPEC", v2(0x21, 0x00, "xyz") },
		{ "a datagram", v2(0x21, 0x12, ends4) },
	}
	for _, case in ipairs(nobody) do
		it("takes the proxy for the client with " .. case[1], function()
			connection:send(case[2], "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", who)
			local port = connection:response().body
			assert.equal(("127.0.0.1 %s by 127.0.0.1"):format(port), connection:response().body)
		end)
	end

	-- The loop has gone round since: what was sent before has been received.
	local function turn(other)
		other:send(who)
		other:response()
	end

	for _, case in ipairs({ good[1], good[7] }) do
		it("takes " .. case[1] .. " in two pieces, wherever it is cut", function()
			local other = gateway:connect():send("PROXY UNKNOWN\r\n")
			local text = case[2] .. who
			for cut = 1, #text - 1 do
				local one = gateway:connect()
				one:send(text:sub(1, cut))
				turn(other)
				one:send(text:sub(cut + 1))
				assert.equal(case[3], one:response().body, "cut at " .. cut)
				one:close()
			end
			other:close()
		end)

		it("takes " .. case[1] .. " byte by byte", function()
			local other = gateway:connect():send("PROXY UNKNOWN\r\n")
			for byte in (case[2] .. who):gmatch(".") do
				connection:send(byte)
				turn(other)
			end
			assert.equal(case[3], connection:response().body)
			other:close()
		end)
	end

	it("takes it once, and for all requests of the connection", function()
		connection:send(good[1][2], who:rep(3))
		for _ = 1, 3 do
			assert.equal(good[1][3], connection:response().body)
		end
		connection:send(who)
		assert.equal(good[1][3], connection:response().body)
		connection:send(good[1][2], who)
		assert.equal(400, connection:response().status)
	end)

	local bad = {
		{ "no header", who },
		{ "white space before it", " PROXY UNKNOWN\r\n" },
		{ "a bare LF", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\n" },
		{ "an octet with a leading zero", "PROXY TCP4 192.0.2.01 192.0.2.2 12345 80\r\n" },
		{ "a port that is too large", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n" },
		{ "IPv6 called TCP4", "PROXY TCP4 2001:db8::1 ::1 1 80\r\n" },
		{ "a name", "PROXY TCP4 localhost 192.0.2.2 1 80\r\n" },
		{ "a line of 108 bytes", "PROXY UNKNOWN " .. ("x"):rep(92) .. "\r\n" },
		{ "a line without end", "PROXY UNKNOWN " .. ("x"):rep(93) },
		{ "version 3", v2(0x31, 0x11, ends4) },
		{ "an unknown command", v2(0x22, 0x11, ends4) },
		{ "an unknown family", v2(0x21, 0x41, ends4) },
		{ "addresses cut short", v2(0x21, 0x21, ends4) },
		{ "an extension cut short", v2(0x21, 0x11, ends4 .. "\4\0\3ab") },
		{ "a wrong checksum", v2(0x21, 0x11, ends4 .. "\3\0\4abcd") },
		{ "one that is too long", v2(0x21, 0x11, ("x"):rep(4081)) },
	}
	for _, case in ipairs(bad) do
		it("closes without an answer on " .. case[1], function()
			connection:send(case[2])
			assert.is_true(connection:is_closed())
		end)
	end

	it("survives clients that leave in the middle of it", function()
		for _, case in ipairs({ good[1], good[3] }) do
			for cut = 1, #case[2] do
				gateway:connect():send(case[2]:sub(1, cut)):close()
			end
		end
		connection:send(good[1][2], who)
		assert.equal(good[1][3], connection:response().body)
	end)

	it("does not wait for it when the gateway stops", function()
		local other = server.start(options_at("127.0.0.1:0", "'loopback'"))
		local late = other:connect():send("PROXY TCP4 192.0")
		other:signal("TERM")
		assert.is_true(late:is_closed())
		other:ended()
		other.project:delete()
	end)
end)

describe("proxy_protocol", function()
	-- Starts a gateway, runs `use` with it, and stops it; returns the log.
	local function with(address, trusted, use, more)
		local gateway = server.start(options_at(address, trusted, more))
		use(gateway)
		local log = gateway:stop()
		gateway.project:delete()
		return log
	end

	it("closes connections of others than trusted proxies, and says so once", function()
		local log = with("127.0.0.1:0", "'10.0.0.0/8'", function(gateway)
			for _ = 1, 20 do
				local connection = gateway:connect()
				assert.is_true(connection:is_closed())
				connection:close()
			end
		end)
		local _, count = log:gsub("closed a connection from 127%.0%.0%.1: it is none of trusted_proxies", "")
		assert.is_true(count >= 1 and count <= 3, log) -- once in ten seconds
	end)

	it("works on IPv6", function()
		with("[::1]:0", "'::1'", function(gateway)
			local connection = client.connect({ "::1", port_of(gateway) })
			connection:send("PROXY TCP6 2001:db8::1 ::1 1 80\r\n", who)
			assert.equal("2001:db8::1 1 by ::1", connection:response().body)
			connection:close()
		end)
	end)

	it("works on a unix socket, where 'unix' is who is trusted", function()
		for trusted, expected in pairs({ unix = "192.0.2.1 12345 by ", loopback = false }) do
			with("unix:s", "'" .. trusted .. "'", function(gateway)
				local connection = gateway:connect(gateway.project.path .. "/s")
				if expected then
					connection:send(v2(0x21, 0x11, ends4), who)
					assert.equal(expected, connection:response().body)
				else
					assert.is_true(connection:is_closed())
				end
				connection:close()
			end)
		end
	end)

	it("is only of the listener that has it", function()
		with("127.0.0.1:0", "'loopback'", function(gateway)
			local connection = gateway:connect(port_of(gateway))
			connection:send("PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\r\n", who)
			assert.equal(400, connection:response().status)
			connection:close()
		end, "'127.0.0.1:0',")
	end)

	it("says whose header fields are believed", function()
		with("127.0.0.1:0", "{ 'loopback', '10.0.0.0/8' }", function(gateway)
			for _, case in ipairs({
				{ "192.0.2.1", "192.0.2.1 1 by 127.0.0.1" },
				{ "10.0.0.1", "198.51.100.7 0 by 127.0.0.1" },
			}) do
				local connection = gateway:connect()
				connection:send(("PROXY TCP4 %s 192.0.2.2 1 80\r\n"):format(case[1]))
				assert.equal(case[2], connection:fetch("GET", "/who", { "X-Forwarded-For: 198.51.100.7" }).body)
				connection:close()
			end
		end)
	end)

	it("is what the access log shows", function()
		local options = options_at("127.0.0.1:0", "'loopback'")
		local path = options.project.path .. "/access.log"
		options.flags = { "--access-log", path }
		local gateway = server.start(options)
		local connection = gateway:connect():send(v2(0x21, 0x11, ends4), who)
		connection:response()
		connection:send("GET / x\r\n\r\n") -- refused by framing: logged, too
		assert.equal(400, connection:response().status)
		connection:close()
		gateway:stop()
		local addresses = {}
		for line in io.lines(path) do
			addresses[#addresses + 1] = line:match('"remote":"([^"]*)"')
		end
		assert.same({ "192.0.2.1", "192.0.2.1" }, addresses)
		options.project:delete()
	end)

	it("must come as early as a head", function()
		local options = options_at("127.0.0.1:0", "'loopback'")
		options.flags = { "--head-timeout", "0.2" }
		local gateway = server.start(options)
		for _, start in ipairs({ "", "PROXY TCP4 192.0", signature, "PROXY UNKNOWN\r\n" }) do
			local connection = gateway:connect():send(start)
			assert.is_true(connection:is_closed(), start)
			connection:close()
		end
		gateway:stop()
		options.project:delete()
	end)

	it("names the address whose connections address_limit counts", function()
		local options = options_at("127.0.0.1:0", "'loopback'")
		options.flags = { "--address-limit", "2" }
		local gateway = server.start(options)
		local function connect(address)
			return gateway:connect():send(("PROXY TCP4 %s 192.0.2.2 1 80\r\n"):format(address), who)
		end
		local first, second, other = connect("192.0.2.1"), connect("192.0.2.1"), connect("192.0.2.9")
		for _, connection in ipairs({ first, second, other }) do
			assert.equal(200, connection:response().status)
		end
		local third = connect("192.0.2.1")
		assert.equal(429, third:response().status)
		third:close()
		gateway:wait_log("more than address_limit = 2 connections from 192%.0%.2%.1")
		first:close()
		program.await("room for another connection", function()
			local again = connect("192.0.2.1")
			local status = again:response().status
			again:close()
			return status == 200
		end)
		second:close()
		other:close()
		local many = {}
		for i = 1, 5 do -- the proxy's own
			many[i] = gateway:connect():send("PROXY UNKNOWN\r\n", who)
			assert.equal(200, many[i]:response().status)
		end
		for _, connection in ipairs(many) do
			connection:close()
		end
		gateway:stop()
		options.project:delete()
	end)

	it("needs somebody to be trusted", function()
		local project = project_at("127.0.0.1:0", "{}")
		assert.same({ "", "tidegate: 127.0.0.1:0 has proxy_protocol, but trusted_proxies names no proxy\n", 1 },
			{ program.run("serve", project.path) })
		project:delete()
	end)
end)
