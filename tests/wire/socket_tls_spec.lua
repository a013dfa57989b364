-- tidegate.socket and TLS: the other side is a gateway that listens with TLS,
-- or the spec between the two.

local client = require("tests.support.client")
local peers = require("tests.support.peer")
local secure = require("tests.support.secure")
local socket = require("socket")

local run = [[
local socket = require("tidegate.socket")
local timer = require("tidegate.timer")

return { limits = { wait = 600 }, POST = function(request)
	local port = tonumber(request.query.port)
	local function open(tls, host)
		return socket.connect{ host = host or "localhost", port = port, tls = tls, timeout = 10 }
	end
	local function get(s)
		assert(s:write("GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
		return s:read("all"):match("\r\n\r\n(.*)$")
	end
	local values = table.pack(assert(load("local socket, timer, port, open, get = ... " .. request:text(), "=run"))(
		socket, timer, port, open, get))
	for i = 1, values.n do
		values[i] = tostring(values[i])
	end
	return table.concat(values, " | ")
end }]]

local who = [[
return function(request)
	local tls = request.tls
	return (tls.name or "-") .. " " .. (tls.client and tls.client.subject or "nobody") .. " " .. tls.version
end]]

describe("tidegate.socket with TLS", function()
	local site

	setup(function()
		site = secure.start({
			files = { ["handlers/run.lua"] = run, ["handlers/who.lua"] = who,
				["handlers/much.lua"] = "return function() return ('x'):rep(1000000) end" },
			listen = "{ '127.0.0.1:0', { '127.0.0.1:0', tls = { 'site.pem', 'site.key', client_ca = 'ca.pem', verify = 'optional' } } }",
			listeners = 2,
			prepare = function(authority)
				authority:issue("me", { subject = "/CN=me" })
			end,
		})
		site.tls_port = site.ports[2]
	end)

	teardown(function()
		site:stop()
	end)

	local function begin(code, port)
		local c = client.connect(site.port)
		c:ask("POST", "/run?port=" .. (port or site.tls_port), { "Accept: text/plain" }, code)
		return c
	end

	local function result(c)
		local body = c:response().body
		c:close()
		return body
	end

	local function value_of(code, port)
		return result(begin(code, port))
	end

	local cases = {
		{ "verifies the server, and names it", "return get(open{ ca = 'ca.pem' })", "localhost nobody TLSv1.3" },
		{ "names no address", "return select(2, open({ ca = 'ca.pem' }, '127.0.0.1'))",
			"certificate verify failed: IP address mismatch" },
		{ "may name the server another way", "return get(open({ ca = 'ca.pem', server_name = 'site.test' }, '127.0.0.1'))",
			"site.test nobody TLSv1.3" },
		{ "refuses a server that is signed by somebody else", "return open(true)",
			"nil | certificate verify failed: self-signed certificate in certificate chain | tls" },
		{ "refuses a server of another name", "return open{ ca = 'ca.pem', server_name = 'other.test' }",
			"nil | certificate verify failed: hostname mismatch | tls" },
		{ "verifies nobody if it is told so", "return get(open{ verify = false, server_name = 'other.test' })",
			"other.test nobody TLSv1.3" },
		{ "shows a certificate", "return get(open{ ca = 'ca.pem', certificate = 'me.pem', key = 'me.key' })",
			"localhost CN=me TLSv1.3" },
		{ "says what was agreed on", "local s = open{ ca = 'ca.pem', alpn = { 'h2', 'http/1.1' } } "
			.. "return s.tls.version, s.tls.alpn, s.tls.subject, #s.tls.fingerprint, s.tls.cipher:sub(1, 3)",
			"TLSv1.3 | http/1.1 | CN=site | 64 | TLS" },
		{ "uses a session again and again", "local t = {} for i = 1, 4 do local s = open{ ca = 'ca.pem', minimum = '1.3' } "
			.. "t[i] = tostring(s.tls.resumed) get(s) s:close() end return table.concat(t, ' ')", "false true true true" },
		{ "uses no session of another trust", "get(open{ ca = 'ca.pem' }) return open{ ca = 'ca.pem', verify = false }.tls.resumed", "false" },
		{ "needs the file of an authority", "return open{ ca = 'none.pem' }", "^nil | cannot read .*/none.pem: No such file or directory | tls$" },
		{ "needs the key of a certificate", "return open{ certificate = 'me.pem' }",
			"nil | a certificate needs its key, and a key its certificate | tls" },
		{ "takes no empty name of a protocol", "return open{ alpn = { '' } }", "^nil | the names of protocols" },
		{ "sends and receives much", "local s = open{ ca = 'ca.pem' } s:write('POST /run?port=1 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n"
			.. "Content-Length: 3000000\\r\\n\\r\\n', 'return ', ('--x\\n'):rep(749998), '2', (' '):rep(0)) return 'sent'", "sent" },
	}
	for _, case in ipairs(cases) do
		it(case[1], function()
			local got = value_of(case[2])
			if got ~= case[3] then
				assert.matches(case[3], got)
			end
		end)
	end

	it("fails when the other side does not speak it", function()
		local peer = peers.listen()
		local c = begin("return open(true)", peer.port)
		local stream = peer:accept()
		stream:send("220 hello, I speak something else\r\n")
		assert.matches("^nil | TLS failed: .* | tls$", result(c))
		stream:close()
		peer:close()
	end)

	it("fails when the other side closes during the handshake", function()
		local peer = peers.listen()
		local c = begin("return open(true)", peer.port)
		local stream = peer:accept()
		stream:receive(5)
		stream:shutdown("send")
		assert.equal("nil | TLS failed: closed during the handshake | tls", result(c))
		stream:close()
		peer:close()
	end)

	it("times out when the other side is silent", function()
		local peer = peers.listen()
		local c = begin("return socket.connect{ host = 'localhost', port = port, tls = true, timeout = 0.05 }", peer.port)
		local stream = peer:accept()
		assert.equal("nil | timed out | timeout", result(c))
		stream:close()
		peer:close()
	end)

	it("says that what came was cut off", function()
		local peer = peers.listen()
		local c = begin("local s = open{ ca = 'ca.pem' } s:write('GET /much HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n') "
			.. "local _, message, code, part = s:read('all') return message, code, #part > 10000", peer.port)
		local stream = peer:accept()
		local other = assert(socket.connect("127.0.0.1", site.tls_port))
		peers.pump(stream, other, 100000)
		other:close()
		stream:close()
		assert.equal("the connection was cut off | cut | true", result(c))
		peer:close()
	end)

	describe("start_tls", function()
		local function relay(code, greeting)
			local peer = peers.listen()
			local c = begin("local s = assert(socket.connect('localhost', port)) " .. code, peer.port)
			local stream = peer:accept()
			stream:send(greeting or "220 ready\r\n")
			assert.equal("STARTTLS", stream:receive("*l"))
			local other = assert(socket.connect("127.0.0.1", site.tls_port))
			peers.pump(stream, other)
			stream:close()
			other:close()
			peer:close()
			return result(c)
		end

		it("goes on with TLS", function()
			assert.equal("220 ready | true | localhost nobody TLSv1.3",
				relay("local greeting = s:read('line') s:write('STARTTLS\\n') return greeting, s:start_tls{ ca = 'ca.pem' }, get(s)"))
		end)

		it("closes the socket when the server is not who it should be", function()
			assert.equal("nil | certificate verify failed: self-signed certificate in certificate chain | tls | nil",
				relay("s:read('line') s:write('STARTTLS\\n') local a, b, c = s:start_tls() return a, b, c, s.tls"))
		end)

		it("takes no bytes from before it", function()
			assert.equal("nil | there are bytes from before TLS: nobody vouches for them | tls",
				relay("s:read('line') s:write('STARTTLS\\n') local a, b, c = s:start_tls{ ca = 'ca.pem' } s:close() return a, b, c",
					"220 ready\r\n250 OK\r\n"))
		end)

		it("is done once", function()
			assert.equal("nil | it speaks TLS already | tls", value_of("local s = open{ ca = 'ca.pem' } return s:start_tls()"))
		end)
	end)
end)
