local around = require("tests.support.around")
local server = require("tests.support.server")

local files = {
	["handlers/who.lua"] = [[
return function(request)
	local remote = request.remote
	return ("%s %d %s %s"):format(remote.address, remote.port, request.scheme, request.host)
end]],
	["handlers/peer.lua"] = "return function(request) return request.peer.address end",
	["handlers/header/{name}.lua"] = "return function(request) return request.headers[request.params.name] or '-' end",
	["handlers/shop.lua"] = "return { host = 'shop.example', path = '/shop', GET = function() return 'the shop' end }",
	["handlers/id.lua"] = "return function(request) return request.id end",
	["handlers/log.lua"] = [[
local log = require("tidegate.log")
return function(request) log.info("here") return request.id end]],
	["handlers/fail.lua"] = "return function() error('no tide') end",
}

-- Sets `set`'s variables to a gateway and a connection, as around() does.
local function with(flags, set)
	around({ files = files, flags = flags }, set)
end

describe("what proxies say", function()
	describe("has no effect by default:", function()
		local connection

		with({ "--request-id-header", "x-request-id" }, function(_, c)
			connection = c
		end)

		for _, field in ipairs({
			"X-Forwarded-For: 192.0.2.1",
			"X-Forwarded-Proto: https",
			"X-Forwarded-Host: shop.example",
			"X-Real-IP: 192.0.2.1",
			"Forwarded: for=192.0.2.1;proto=https;host=shop.example",
		}) do
			it(field, function()
				assert.match("^127%.0%.0%.1 %d+ http test$", connection:fetch("GET", "/who", { field }).body)
				local name, value = field:match("^(.-): (.*)$")
				assert.equal(value, connection:fetch("GET", "/header/" .. name, { field }).body)
				assert.equal(404, connection:fetch("GET", "/shop", { field }).status)
			end)
		end

		it("a request's id", function()
			assert.match("^%x+$", connection:fetch("GET", "/id", { "X-Request-Id: mine-own" }).body)
		end)
	end)

	describe("has no effect from others than trusted proxies:", function()
		local connection

		with({ "--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "unix", "--request-id-header", "x-request-id" },
			function(_, c)
				connection = c
			end)

		it("address, scheme and id", function()
			local fields = { "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Request-Id: mine-own" }
			assert.match("^127%.0%.0%.1 %d+ http test$", connection:fetch("GET", "/who", fields).body)
			assert.match("^%x+$", connection:fetch("GET", "/id", fields).body)
		end)
	end)

	describe("in X-Forwarded-For and X-Forwarded-Proto", function()
		local gateway, connection

		with({ "--trusted-proxies", "loopback", "--trusted-proxies", "10.0.0.0/8" }, function(g, c)
			gateway, connection = g, c
		end)

		local cases = {
			{ "192.0.2.1 0 http test", "X-Forwarded-For: 192.0.2.1" },
			{ "192.0.2.1 0 https test", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https" },
			{ "2001:db8::1 81 http test", "x-forwarded-for: [2001:DB8::1]:81", "X-Forwarded-Proto: http" },
			{ "192.0.2.1 0 http test", "X-Forwarded-For: 198.51.100.1, 192.0.2.1" },
			{ "192.0.2.1 0 http test", "X-Forwarded-For: 198.51.100.1, 192.0.2.1, 10.0.0.1", "X-Forwarded-For: 10.0.0.2" },
			{ "192.0.2.1 0 http test", 'X-Forwarded-For: ", 192.0.2.1' },
			{ "192.0.2.1 0 https test", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "X-Forwarded-Proto: https" },
		}
		for _, case in ipairs(cases) do
			it("takes effect: " .. table.concat(case, "; ", 2), function()
				assert.equal(case[1], connection:fetch("GET", "/who", { table.unpack(case, 2) }).body)
			end)
		end

		it("ends where an address is none", function()
			for _, value in ipairs({ "unknown", "192.0.2.1, nonsense", "192.0.2.1:99999", "192.0.2.1, 10.0.0.256" }) do
				assert.match("^127%.0%.0%.1 %d+ http test$",
					connection:fetch("GET", "/who", { "X-Forwarded-For: " .. value }).body)
			end
		end)

		it("is of one request, not of the connection", function()
			connection:ask("GET", "/who", { "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https" })
			connection:ask("GET", "/who", { "X-Forwarded-For: 192.0.2.2" })
			connection:ask("GET", "/who")
			assert.equal("192.0.2.1 0 https test", connection:response().body)
			assert.equal("192.0.2.2 0 http test", connection:response().body)
			assert.match("^127%.0%.0%.1 %d+ http test$", connection:response().body)
		end)

		it("leaves request.peer alone", function()
			assert.equal("127.0.0.1", connection:fetch("GET", "/peer", { "X-Forwarded-For: 192.0.2.1" }).body)
		end)

		for _, field in ipairs({ "X-Forwarded-Host: shop.example", "Forwarded: for=192.0.2.1;proto=https;host=shop.example" }) do
			it("leaves what the settings do not name without effect: " .. field, function()
				assert.match("^127%.0%.0%.1 %d+ http test$", connection:fetch("GET", "/who", { field }).body)
				assert.equal(404, connection:fetch("GET", "/shop", { field }).status)
			end)
		end

		it("is not looked for in a head that is refused", function()
			local other = gateway:connect():send("GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nX : y\r\n\r\n")
			assert.equal(400, other:response().status)
			other:close()
		end)
	end)

	describe("in X-Forwarded-Host", function()
		local connection

		with({ "--trusted-proxies", "127.0.0.1", "--proxy-headers", "x-forwarded-host" }, function(_, c)
			connection = c
		end)

		it("is the host, and chooses the route", function()
			local fields = { "X-Forwarded-Host: SHOP.example:8443", "X-Forwarded-For: 192.0.2.1" }
			assert.match("^127%.0%.0%.1 %d+ http shop.example$", connection:fetch("GET", "/who", fields).body)
			assert.equal("the shop", connection:fetch("GET", "/shop", fields).body)
			assert.equal("test", connection:fetch("GET", "/header/host", fields).body)
		end)

		it("stands above an absolute target", function()
			assert.equal("the shop",
				connection:fetch("GET", "http://other.example/shop", { "X-Forwarded-Host: shop.example" }).body)
		end)

		for _, value in ipairs({ "a/b", "u@shop.example", "shop.example, x y", "", ":80", "shop.example:x", '"shop.example"' }) do
			it("has no effect if it is no host: " .. value, function()
				assert.match(" test$", connection:fetch("GET", "/who", { "X-Forwarded-Host: " .. value }).body)
				assert.equal(404, connection:fetch("GET", "/shop", { "X-Forwarded-Host: " .. value }).status)
			end)
		end
	end)

	describe("in Forwarded", function()
		local connection

		with({ "--trusted-proxies", "loopback", "--trusted-proxies", "10.0.0.0/8", "--proxy-headers", "forwarded" },
			function(_, c)
				connection = c
			end)

		local cases = {
			{ "192.0.2.1 0 http test", "Forwarded: for=192.0.2.1" },
			{ "2001:db8::1 81 https shop.example", 'Forwarded: For="[2001:db8::1]:81"; Proto=HTTPS; Host="Shop.example:8443"' },
			{ "192.0.2.1 0 http test", "Forwarded: for=198.51.100.1;proto=https, for=192.0.2.1, for=10.0.0.1;host=x" },
			{ "192.0.2.1 0 http test", 'Forwarded: ", for=192.0.2.1' },
			{ "192.0.2.1 0 http test", 'Forwarded: for="198.51.100.1', 'Forwarded: for="192.0.2.1:_x"' },
			{ "192.0.2.1 0 http test", "Forwarded: for=192.0.2.1", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https" },
		}
		for _, case in ipairs(cases) do
			it("takes effect: " .. table.concat(case, "; ", 2), function()
				assert.equal(case[1], connection:fetch("GET", "/who", { table.unpack(case, 2) }).body)
			end)
		end

		it("chooses the route by its host", function()
			assert.equal("the shop", connection:fetch("GET", "/shop", { "Forwarded: host=shop.example" }).body)
		end)

		it("may leave out who the client is", function()
			for _, value in ipairs({ "unknown", "_hidden", '"_hidden:80"' }) do
				assert.match("^127%.0%.0%.1 %d+ https test$",
					connection:fetch("GET", "/who", { ("Forwarded: for=192.0.2.1, for=%s;proto=https"):format(value) }).body)
			end
		end)

		for _, value in ipairs({
			"for=192.0.2.1;for=192.0.2.2", 'for="192.0.2.\\1"', "for=[::1]", "for =192.0.2.1", 'for="192.0.2.1', "for=", "x",
			"for=192.0.2.1, for=192.0.2.1:80",
		}) do
			it("has no effect if it breaks the grammar: " .. value, function()
				assert.match("^127%.0%.0%.1 %d+ http test$", connection:fetch("GET", "/who", { "Forwarded: " .. value }).body)
			end)
		end
	end)

	describe("is ignored with --proxy-headers none:", function()
		local connection

		with({ "--trusted-proxies", "loopback", "--proxy-headers", "none" }, function(_, c)
			connection = c
		end)

		it("X-Forwarded-For and Forwarded", function()
			assert.match("^127%.0%.0%.1 %d+ http test$",
				connection:fetch("GET", "/who", { "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1" }).body)
		end)
	end)
end)

describe("on a unix socket, 'unix' is who is trusted:", function()
	it("X-Forwarded-For takes effect", function()
		for trusted, expected in pairs({ unix = "^192%.0%.2%.1 0 https test$", loopback = "^ 0 http test$" }) do
			local gateway = server.start({
				files = {
					["handlers/who.lua"] = files["handlers/who.lua"],
					["tidegate.lua"] = ("return { listen = 'unix:s', trusted_proxies = '%s' }"):format(trusted),
				},
				listen = {},
			})
			local connection = gateway:connect(gateway.project.path .. "/s")
			assert.match(expected,
				connection:fetch("GET", "/who", { "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https" }).body)
			connection:close()
			gateway:stop()
		end
	end)
end)

describe("request_id_header", function()
	local gateway, connection

	with({ "--trusted-proxies", "loopback", "--request-id-header", "X-Request-ID" }, function(g, c)
		gateway, connection = g, c
	end)

	for _, id in ipairs({
		"1", "0a1B-_.=+/:;@~", "Root=1-67891233-abcdef012345678912345678;Sampled=1", ("x"):rep(128),
	}) do
		it("names a request: " .. id, function()
			assert.equal(id, connection:fetch("GET", "/id", { "x-request-id: " .. id }).body)
		end)
	end

	for _, id in ipairs({
		"", "a b", "a,b", 'a"b', "a\\b", "a\tb", "a'b", "<b>", "{x}", "%0a", "a\xc3\xa4", "a\xff", ("x"):rep(129),
	}) do
		it(("takes no name that might be more: %q"):format(id), function()
			assert.match("^" .. ("%x"):rep(32) .. "$", connection:fetch("GET", "/id", { "x-request-id: " .. id }).body)
		end)
	end

	it("takes the last of several", function()
		assert.equal("two", connection:fetch("GET", "/id", { "X-Request-ID: one", "X-Request-ID: two" }).body)
	end)

	it("is of one request, not of the connection", function()
		assert.equal("one", connection:fetch("GET", "/id", { "X-Request-ID: one" }).body)
		assert.match("^" .. ("%x"):rep(32) .. "$", connection:fetch("GET", "/id").body)
	end)

	it("gives the name that the log and the answer to an error have", function()
		assert.equal("abc-1", connection:fetch("GET", "/log", { "X-Request-ID: abc-1" }).body)
		gateway:wait_log('"msg":"here","request":"abc%-1","route":"/log"')
		local problem = connection:fetch("GET", "/fail", { "X-Request-ID: abc-2" })
		assert.match('"instance":"urn:request:abc%-2"', problem.body)
		gateway:wait_log('no tide.-"request":"abc%-2"')
	end)
end)
