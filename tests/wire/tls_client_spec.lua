-- Certificates that clients show.

local secure = require("tests.support.secure")
local certificates = require("tests.support.certificates")

local files = {
	["handlers/who.lua"] = [[
return function(request)
	local client = request.tls.client
	if not client then return "nobody" end
	return { subject = client.subject, issuer = client.issuer, serial = client.serial,
		fingerprint = client.fingerprint, not_after = client.not_after, dns = client.dns,
		pem = client.pem, same = client == request.tls.client }
end]],
}

local function prepare(authority)
	authority:issue("ada", { names = { "ada.test", "lovelace.test" }, subject = "/O=Tide/CN=Ada" })
	authority:issue("old", { names = { "old.test" }, days = -1 })
	os.execute("mkdir " .. authority.path .. "/other")
	certificates.new(authority.path .. "/other", "/CN=Other CA"):issue("eve", { names = { "eve.test" } })
end

local function start(verify)
	return secure.start({
		files = files,
		prepare = prepare,
		tls = ("{ 'site.pem', 'site.key', client_ca = 'ca.pem', verify = %s }"):format(verify),
	})
end

local ada = "--cert ada.pem --key ada.key https://site.test/who"

for _, version in ipairs({ "1.2", "1.3" }) do
	local only = ("--tlsv%s --tls-max %s "):format(version, version)

	describe("verify = 'optional' with TLS " .. version, function()
		local gateway

		lazy_setup(function()
			gateway = start("'optional'")
		end)

		lazy_teardown(function()
			gateway:stop()
		end)

		it("tells the handler of the certificate", function()
			local json = gateway:curl(only .. ada)
			local openssl = function(what)
				return gateway.authority:openssl("x509 -in ada.pem -noout " .. what):gsub("\n$", "")
			end
			assert.match('"subject":"CN=Ada,O=Tide"', json)
			assert.match('"issuer":"CN=Tide Test CA"', json)
			assert.match('"dns":%["ada.test","lovelace.test"%]', json)
			assert.match('"same":true', json)
			assert.equal(openssl("-fingerprint -sha256"):match("=(.*)"):gsub(":", ""):lower(),
				json:match('"fingerprint":"(%x+)"'))
			assert.equal(openssl("-serial"):match("=(.*)"):lower(), json:match('"serial":"(%x+)"'))
			local date = io.popen("date +%s -d '" .. openssl("-enddate"):match("=(.*)") .. "'")
			assert.equal(date:read("l"), json:match('"not_after":(%d+)'))
			date:close()
			assert.match('"pem":"%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-\\n', json)
		end)

		it("lets others in without one", function()
			assert.same({ "nobody", "", 0 }, { gateway:curl(only .. "https://site.test/who") })
		end)

		for _, name in ipairs({ "other/eve", "old" }) do
			it("refuses a bad one: " .. name, function()
				local output, _, code = gateway:curl(only .. ("--cert %s.pem --key %s.key https://site.test/who"):format(name, name))
				assert.equal("", output)
				assert.is_true(code ~= 0)
			end)
		end

		it("still knows it in a resumed session", function()
			local arguments = ("-tls%s -cert ada.pem -key ada.key "):format(version:gsub("%.", "_"))
			gateway:s_client(arguments .. "-sess_out ticket", "/who")
			local output = gateway:s_client(arguments .. "-sess_in ticket", "/who")
			assert.match("\nReused, ", output)
			assert.match('"subject":"CN=Ada,O=Tide"', output)
		end)
	end)

	describe("verify = 'require' with TLS " .. version, function()
		local gateway

		lazy_setup(function()
			gateway = start("'require'")
		end)

		lazy_teardown(function()
			gateway:stop()
		end)

		it("lets in who shows a certificate", function()
			assert.match('"subject":"CN=Ada,O=Tide"', (gateway:curl(only .. ada)))
		end)

		it("tells the others why they are refused", function()
			local arguments = "-tls" .. version:gsub("%.", "_")
			local expected = version == "1.2" and "alert handshake failure" or "alert certificate required"
			assert.match(expected, (gateway:s_client(arguments, "/who")))
			assert.match("alert unknown ca", (gateway:s_client(arguments .. " -cert other/eve.pem -key other/eve.key", "/who")))
			assert.match("alert certificate expired", (gateway:s_client(arguments .. " -cert old.pem -key old.key", "/who")))
		end)
	end)
end

describe("client_ca", function()
	it("means 'require' when nothing else is said", function()
		local gateway = start("nil")
		assert.match("alert certificate required", (gateway:s_client("-tls1_3", "/who")))
		gateway:stop()
	end)

	it("when it changes at a reload, ends the sessions it let in", function()
		local gateway = start("'require'")
		local arguments = "-tls1_3 -cert ada.pem -key ada.key "
		gateway:s_client(arguments .. "-sess_out ticket", "/who")
		assert.match("\nReused, ", (gateway:s_client(arguments .. "-sess_in ticket", "/who")))
		os.execute(("cat %s/other/ca.pem > %s/ca2.pem"):format(gateway.project.path, gateway.project.path))
		os.execute(("cp %s/ca.pem %s/trust.pem; cp %s/ca2.pem %s/ca.pem"):format(
			gateway.project.path, gateway.project.path, gateway.project.path, gateway.project.path))
		assert.equal(0, select(3, gateway.gateway:reload()))
		local output = gateway:s_client(arguments .. "-sess_in ticket -CAfile trust.pem", "/who")
		assert.match("alert unknown ca", output)
		assert.not_match("HTTP/1.1", output)
		gateway:stop()
	end)
end)
