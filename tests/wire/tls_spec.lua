local secure = require("tests.support.secure")

local files = {
	["handlers/hello.lua"] = "return function() return 'hello' end",
	["handlers/echo.lua"] = "return { POST = function(request) return request:text() end }",
	["handlers/tls.lua"] = [[
return function(request)
	return { scheme = request.scheme, tls = request.tls }
end]],
	["handlers/big.lua"] = [[
return {
	limits = { body = math.huge },
	GET = function(_, response)
		local piece = ("x"):rep(65536)
		for _ = 1, 1024 do response:write(piece) end
	end,
	PUT = function(request)
		local bytes = 0
		for chunk in request:chunks() do bytes = bytes + #chunk end
		return tostring(bytes)
	end,
}]],
}

-- The value of `"key":` in a flat piece of JSON.
local function field(json, key)
	return json:match('"' .. key .. '":"?([^",}]*)')
end

describe("a listener with tls", function()
	local gateway

	lazy_setup(function()
		gateway = secure.start({
			files = files,
			tls = [[{
				{ "site.pem", "site.key" },
				{ certificate = "wild.pem", key = "wild.key" },
				{ certificate = "rsa.pem", key = "rsa.key", ocsp = "rsa.der" },
			}]],
			prepare = function(authority)
				authority:issue("wild", { names = { "*.wild.test", "wild.test", "site.test" } })
				authority:issue("rsa", { names = { "rsa.test", "one.wild.test" }, kind = "rsa" })
				authority:staple("rsa")
			end,
		})
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	it("is announced as https", function()
		assert.match("listening on https://127%.0%.0%.1:%d+\n", gateway.gateway:log())
	end)

	it("answers curl", function()
		assert.same({ "hello", "", 0 }, { gateway:curl("https://site.test/hello") })
	end)

	it("tells the handler how the request came", function()
		local json = gateway:curl("https://site.test/tls")
		assert.equal("https", field(json, "scheme"))
		assert.equal("TLSv1.3", field(json, "version"))
		assert.match("^TLS_", field(json, "cipher"))
		assert.equal("site.test", field(json, "name"))
		assert.equal("false", field(json, "resumed"))
		assert.is_nil(field(json, "client"))
	end)

	it("speaks TLS 1.2", function()
		local output = gateway:s_client("-tls1_2")
		assert.match("Protocol  : TLSv1.2", output)
		assert.match("\nHTTP/1.1 200 OK", output)
		assert.match("Secure Renegotiation IS supported", output)
		assert.match("Compression: NONE", output)
	end)

	for _, case in ipairs({
		{ "TLS 1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0", "alert protocol version" },
		{ "ciphers without forward secrecy", "-tls1_2 -cipher AES128-GCM-SHA256 -servername rsa.test", "handshake failure" },
		{ "ciphers that are not AEAD", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "handshake failure" },
		{ "ALPN without http/1.1", "-alpn h2,spdy/3", "no application protocol" },
	}) do
		it("refuses " .. case[1], function()
			local output, code = gateway:s_client(case[2])
			assert.equal(1, code)
			assert.match(case[3], output)
		end)
	end

	it("chooses http/1.1 by ALPN", function()
		assert.match("ALPN protocol: http/1.1\n", (gateway:s_client("-alpn h2,http/1.1")))
		assert.match("ALPN protocol: http/1.0\n", (gateway:s_client("-alpn http/1.0")))
		assert.match("No ALPN negotiated\n", (gateway:s_client("")))
	end)

	for host, subject in pairs({
		["site.test"] = "site", -- in two: the first
		["SITE.test"] = "site",
		["wild.test"] = "wild",
		["two.wild.test"] = "wild",
		["TWO.WILD.TEST"] = "wild",
		["one.wild.test"] = "rsa", -- its own name is stronger than a wildcard
		["a.two.wild.test"] = "site", -- a wildcard is one label
		["rsa.test"] = "rsa",
		["unknown.test"] = "site",
	}) do
		it("shows the certificate of " .. host, function()
			for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
				assert.match("subject=CN = " .. subject .. "\n", (gateway:s_client(version .. " -servername " .. host)))
			end
		end)
	end

	it("shows the first certificate where no name is sent", function()
		assert.match("subject=CN = site\n", (gateway:s_client("-noservername")))
		assert.is_nil(field(gateway:s_client("-noservername", "/tls"), "name"))
	end)

	it("staples the OCSP response of that certificate", function()
		assert.match("OCSP Response Status: successful", (gateway:s_client("-status -servername rsa.test")))
		assert.match("Cert Status: good", (gateway:s_client("-status -servername rsa.test")))
		assert.match("OCSP response: no response sent", (gateway:s_client("-status -servername site.test")))
	end)

	for _, version in ipairs({ "tls1_2", "tls1_3" }) do
		it("resumes sessions by tickets: " .. version, function()
			local first = gateway:s_client(("-%s -servername wild.test -sess_out ticket"):format(version), "/tls")
			assert.match("\nNew, TLS", first)
			assert.equal("false", field(first, "resumed"))
			local second = gateway:s_client(("-%s -servername wild.test -sess_in ticket"):format(version), "/tls")
			assert.match("\nReused, TLS", second)
			assert.equal("true", field(second, "resumed"))
			assert.equal("wild.test", field(second, "name"))
		end)
	end

	it("gives a new ticket for each that was used: TLS 1.3 clients use it only once", function()
		local flags = "-tls1_3 -servername wild.test -sess_in used -sess_out used"
		gateway:s_client("-tls1_3 -servername wild.test -sess_out used")
		for _ = 1, 3 do
			assert(os.rename(gateway.project.path .. "/used", gateway.project.path .. "/ticket"))
			assert.match("\nReused, TLS", (gateway:s_client((flags:gsub("used", "ticket", 1)))))
		end
	end)

	it("does not renegotiate", function()
		local pipe = io.popen(
			("cd %s && { printf 'R\\n'; } | timeout 60 openssl s_client -connect 127.0.0.1:%d -tls1_2 2>&1"):format(
				gateway.project.path, gateway.port))
		local output = pipe:read("a")
		pipe:close()
		assert.match("RENEGOTIATING", output)
		assert.match("no renegotiation", output)
	end)

	it("says goodbye, so that an answer is known to be whole", function()
		local client = gateway:connect() -- the tunnel resets it otherwise
		local response = client:fetch("GET", "/hello", { "Connection: close" })
		assert.equal("hello", response.body)
		assert.is_true(client:is_closed())
		client:close()
	end)

	it("sends a small answer as one record", function()
		local output = gateway:s_client("-msg -tls1_2")
		local _, records = output:gsub("<<< [^\n]-ApplicationData", "")
		if records == 0 then -- this openssl does not print them
			local _, headers = output:gsub("<<< [^\n]-RecordHeader %[length 0005%]\n%s+17 03 03", "")
			records = headers
		end
		assert.equal(1, records)
	end)

	it("takes bodies of 64 MiB, and sends them", function()
		os.execute(("head -c 67108864 /dev/zero > %s/zeros"):format(gateway.project.path))
		assert.same({ "67108864", "", 0 }, { gateway:curl("-T zeros https://site.test/big") })
		assert.same({ "67108864", "", 0 }, { gateway:curl("-T - https://site.test/big < zeros") })
		assert.same({ "67108864", "", 0 }, { gateway:curl("-o /dev/null -w '%{size_download}' https://site.test/big") })
	end)

	it("answers many requests that came in one record", function()
		local client = gateway:connect()
		client:send(("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"):rep(400))
		for _ = 1, 400 do
			assert.equal("hello", client:response().body)
		end
		client:close()
	end)

	it("reads on after content that was not read ahead", function()
		local client = gateway:connect()
		local body = ("0123456789abcdef"):rep(65536)
		client:ask("POST", "/echo", {}, body):ask("GET", "/hello")
		assert.equal(body, client:response().body)
		assert.equal("hello", client:response().body)
		client:close()
	end)

	it("takes bytes one by one", function()
		local client = gateway:connect("drip")
		client:ask("POST", "/echo", {}, "tide"):ask("GET", "/hello")
		assert.equal("tide", client:response().body)
		assert.equal("hello", client:response().body)
		client:close()
	end)

	it("answers a client that said it sends no more", function()
		local client = gateway:connect()
		client:ask("GET", "/hello"):ask("GET", "/hello"):finish()
		assert.equal("hello", client:response().body)
		assert.equal("hello", client:response().body)
		assert.is_true(client:is_closed())
		client:close()
	end)

	it("does not mind a client that ends without a goodbye", function()
		local client = gateway:connect("cut")
		client:ask("GET", "/hello"):finish()
		assert.equal("hello", client:response().body)
		assert.is_true(client:is_closed())
		client:close()
	end)
end)

describe("on a port that speaks HTTPS", function()
	local gateway

	lazy_setup(function()
		gateway = secure.start({ files = files })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	for name, bytes in pairs({
		["plain HTTP"] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
		["a long request"] = "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" .. ("x"):rep(300000),
		["garbage"] = "\0\1\2\3",
		["one byte"] = "G",
	}) do
		it(name .. " is answered in the clear", function()
			local client = gateway:connect_plain()
			client:send(bytes)
			local response = client:response()
			assert.equal(400, response.status)
			assert.equal("close", response.headers.connection)
			assert.match("this port speaks HTTPS", response.body)
			assert.is_true(client:is_closed())
			client:close()
		end)
	end

	for name, bytes in pairs({
		["a broken record"] = "\22\3\1\0\5aaaaa",
		["a record of the wrong version"] = "\22\9\9\0\5aaaaa",
		["too long a record"] = "\22\3\1\255\255" .. ("a"):rep(65535),
	}) do
		it(name .. " ends the connection", function()
			local client = gateway:connect_plain()
			client:send(bytes)
			local rest = client:rest()
			assert.is_true(rest == "" or rest:byte() == 21, rest) -- an alert
			client:close()
		end)
	end

	it("a client may leave at any byte of its handshake", function()
		local hello = gateway.authority:openssl(
			"s_client -connect 127.0.0.1:" .. gateway.port .. " -msg </dev/null 2>&1 || true")
			:match(">>> [^\n]-ClientHello\n(.-)\n[<>]")
		local bytes = hello:gsub("%s+", ""):gsub("%x%x", function(pair)
			return string.char(tonumber(pair, 16))
		end)
		local record = "\22\3\1" .. string.pack(">I2", #bytes) .. bytes
		for length = 1, #record do
			local client = gateway:connect_plain()
			client:send(record:sub(1, length))
			client:close()
		end
		local client = gateway:connect_plain() -- and this one is whole
		client:send(record)
		assert.equal("\22", client.stream:receive(1))
		client:close()
	end)

	it("a client may leave in a request or in an answer", function()
		for _, bytes in ipairs({
			"GET /hel",
			"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
			"GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
		}) do
			for _, mode in ipairs({ "whole", "cut" }) do
				local client = gateway:connect(mode)
				client:send(bytes)
				if bytes:find("big") then
					assert.equal(200, client:head().status)
				end
				client:close()
			end
		end
		assert.equal("hello", (gateway:curl("https://site.test/hello")))
	end)
end)
