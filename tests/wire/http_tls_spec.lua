-- tidegate.http by TLS: who is believed, and who is not.

local askers = require("tests.support.asker")
local secure = require("tests.support.secure")

describe("tidegate.http by TLS", function()
	local site, asker

	lazy_setup(function()
		site = secure.start({
			files = {
				["handlers/hello.lua"] = [[return function(request)
					return ("hello %s %s %s"):format(request.host, request.tls.name or "-", request.tls.resumed)
				end]],
				["handlers/who.lua"] = "return function(request) return request.tls.client and request.tls.client.subject or 'nobody' end",
				["handlers/away.lua"] = "return function(request, response) response:redirect(request.query.to) end",
				["handlers/big.lua"] = "return function(_, response) for _ = 1, 200 do response:write(('x'):rep(100000)) end end",
				["handlers/size.lua"] = [[return { limits = { body = 2^26 }, POST = function(request)
					local n = 0
					for chunk in request:chunks() do n = n + #chunk end
					return tostring(n)
				end }]],
			},
			tls = "{ 'site.pem', 'site.key', client_ca = 'ca.pem', verify = 'optional' }",
			prepare = function(authority)
				authority:issue("ada", { subject = "/CN=ada" }):issue("bob", { subject = "/CN=bob" })
			end,
		})
		asker = askers.start("https://127.0.0.1:" .. site.port)
		assert(os.execute(("cp %s/*.pem %s/*.key %s"):format(site.project.path, site.project.path, asker.gateway.project.path)))
	end)

	lazy_teardown(function()
		asker:stop()
		site:stop()
	end)

	local function check(expected, code)
		assert.equal(expected, asker:run(code))
	end

	local good = "tls = { ca = 'ca.pem', server_name = 'site.test' }"

	it("believes who can show a certificate of the authority", function()
		check("200|hello 127.0.0.1 site.test false", ("local r = http.get(origin .. '/hello', { keep = 0, %s }) return r.status, r:text()"):format(good))
	end)

	it("uses a session again, and a connection", function()
		local code = ("local r = http.get(origin .. '/hello', { keep = 0, %s }) return r:text()"):format(good)
		assert.matches("true", asker:run(code) .. asker:run(code))
		check("20000000", ("local n = 0 for chunk in http.get(origin .. '/big', { %s }):chunks() do n = n + #chunk end return n"):format(good))
		check("5000000|5000000", ([[
			local api = http.client{ base_url = origin, %s }
			local left = 50
			return api:post('/size', { body = ('x'):rep(1000):rep(5000) }):text(), api:post('/size', { body = function()
				left = left - 1
				return left >= 0 and ('x'):rep(1000):rep(100) or nil
			end }):text()]]):format(good))
	end)

	it("shows a certificate of its own", function()
		check("nobody|CN=ada", ([[
			return http.get(origin .. '/who', { %s }):text(),
				http.get(origin .. '/who', { tls = { ca = 'ca.pem', server_name = 'site.test', certificate = 'ada.pem', key = 'ada.key' } }):text()]]):format(good))
	end)

	for what, tls in pairs({
		["the system does not know"] = "{ server_name = 'site.test' }",
		["has another name"] = "{ ca = 'ca.pem', server_name = 'other.test' }",
		["has a name, not that address"] = "{ ca = 'ca.pem' }",
	}) do
		it("does not believe whom " .. what, function()
			local body = asker:run(("return http.get(origin .. '/hello', { tls = %s })"):format(tls))
			assert.matches("^nil|.*certificate verify failed.*|tls$", body)
		end)
	end

	it("believes anybody when it is told to, and says so in the log", function()
		check("200", "return http.get(origin .. '/hello', { tls = { verify = false } }).status")
		check("200", "return http.get(origin .. '/hello', { tls = { verify = false } }).status")
		local _, count = asker.gateway:log():gsub("verif[^\n]*\n", "")
		assert.equal(1, count)
	end)

	it("does not mix connections of different trust", function()
		check("200|tls|200", ([[
			local first = http.get(origin .. '/hello', { GOOD }).status
			return first, (select(3, http.get(origin .. '/hello'))), http.get(origin .. '/hello', { GOOD }).status]]):gsub("GOOD", good))
	end)

	it("does not mix connections of different certificates", function()
		check("CN=ada|CN=bob|nobody|CN=ada|CN=bob|nobody", [[
			local function client(name)
				local tls = { ca = 'ca.pem', server_name = 'site.test' }
				if name then
					tls.certificate, tls.key = name .. '.pem', name .. '.key'
				end
				return http.client{ tls = tls }
			end
			local names = {}
			for round = 1, 2 do
				for _, name in ipairs({ 'ada', 'bob', false }) do
					names[#names + 1] = client(name):get(origin .. '/who'):text()
				end
			end
			return table.unpack(names)]])
	end)

	it("shows certificate and server_name to no other origin a redirect leads to", function()
		local tls = "tls = { ca = 'ca.pem', server_name = 'site.test', certificate = 'ada.pem', key = 'ada.key' }"
		local function follow(to)
			return asker:run(("return http.get(origin .. '/away', { query = { to = %q }, %s }):text()"):format(to, tls))
		end
		local other = ("https://localhost:%d"):format(site.port)
		assert.equal("CN=ada", follow("/who"))
		assert.equal("nobody", follow(other .. "/who"))
		assert.matches("^hello localhost localhost ", follow(other .. "/hello"))
		assert.matches("^hello 127.0.0.1 site.test ", follow("/hello"))
		-- not even back where it came from
		assert.equal("nobody", follow(other .. "/away?to=https%3A%2F%2Flocalhost%3A" .. site.port .. "%2Fwho"))
	end)

	it("tells of files that cannot be read, and of who speaks no TLS", function()
		assert.matches("^nil|.*nowhere.pem.*|tls$", asker:run("return http.get(origin, { tls = { ca = 'nowhere.pem' } })"))
		assert.matches("^nil|.*|tls$", asker:run(("return http.get('https://127.0.0.1:%d/')"):format(asker.gateway.port)))
	end)

	it("gives up a handshake that does not come", function()
		local origin = require("tests.support.origin").listen()
		local client = asker:begin(("return (select(3, http.get('https://127.0.0.1:%d/', { connect_timeout = 0.1 })))"):format(origin.port))
		local visit = origin:accept()
		assert.equal("timeout", (asker:finish(client)))
		visit:close()
		client = asker:begin(("return (select(3, http.get('https://127.0.0.1:%d/')))"):format(origin.port))
		visit = origin:accept()
		client.stream:setoption("linger", { on = true, timeout = 0 })
		client:close()
		visit.stream:receive("*a")
		visit:close()
		client = asker:begin(("return (select(3, http.get('https://127.0.0.1:%d/')))"):format(origin.port))
		origin:accept():close()
		assert.matches("^[tc]l", (asker:finish(client)))
		origin:close()
	end)
end)
