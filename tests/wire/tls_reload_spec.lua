-- Certificates are read again at each reload, in its transaction.

local secure = require("tests.support.secure")

local function copy(gateway, name)
	local path = gateway.project.path
	assert(os.execute(("cp %s/%s.pem %s/site.pem && cp %s/%s.key %s/site.key"):format(path, name, path, path, name, path)))
end

local function subject(gateway, arguments)
	return gateway:s_client(arguments or ""):match("subject=CN = (%S+)")
end

local function prepare(authority)
	authority:issue("new", { names = { "site.test" } })
	os.execute(("cd %s && cp site.pem first.pem && cp site.key first.key"):format(authority.path))
end

local function start(options)
	options = options or {}
	options.files = { ["handlers/hello.lua"] = "return function() return 'old' end" }
	options.prepare = options.prepare or prepare
	return secure.start(options)
end

describe("a reload", function()
	it("shows new certificates to new connections, and leaves open ones alone", function()
		local gateway = start({ threads = 2 })
		local open = gateway:connect()
		assert.equal("old", open:fetch("GET", "/hello").body)
		copy(gateway, "new")
		gateway.gateway:replace({ ["handlers/hello.lua"] = "return function() return 'new' end" })
		for _ = 1, 10 do
			assert.equal("new", subject(gateway))
		end
		assert.equal("new", open:fetch("GET", "/hello").body)
		open:close()
		gateway:stop()
	end)

	it("keeps the tickets of before", function()
		local gateway = start()
		for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
			gateway:s_client(version .. " -sess_out ticket")
			assert.equal(0, select(3, gateway.gateway:reload()))
			copy(gateway, "new")
			assert.equal(0, select(3, gateway.gateway:reload()))
			assert.match("\nReused, ", (gateway:s_client(version .. " -sess_in ticket")))
			copy(gateway, "first")
		end
		gateway:stop()
	end)

	for what, case in pairs({
		["a file is missing"] = { "rm site.pem", "cannot read PROJECT/site.pem: No such file or directory" },
		["a certificate is broken"] = { "echo x > site.pem", "there is no certificate in PEM form in PROJECT/site.pem" },
		["a key is another one's"] = { "cp new.key site.key",
			"the key PROJECT/site.key does not belong to the certificate PROJECT/site.pem" },
	}) do
		it("is refused when " .. what .. ", and changes nothing", function()
			local gateway = start()
			gateway.project:write("handlers/hello.lua", "return function() return 'new' end")
			assert(os.execute(("cd %s && %s"):format(gateway.project.path, case[1])))
			local _, errors, code = gateway.gateway:reload()
			assert.equal(1, code)
			assert.match(case[2]:gsub("PROJECT", gateway.project.path), errors, 1, true)
			assert.equal("site", subject(gateway))
			assert.equal("old", (gateway:curl("https://site.test/hello")))
			gateway:stop()
		end)
	end

	it("is refused when handlers are broken: the certificates stay, too", function()
		local gateway = start()
		copy(gateway, "new")
		gateway.project:write("handlers/hello.lua", "return function(")
		assert.equal(1, select(3, gateway.gateway:reload()))
		assert.equal("site", subject(gateway))
		gateway:stop()
	end)

	it("replaces certificates under a crowd #threads", function()
		local gateway = start({ threads = 4 })
		local path = gateway.project.path
		local pipes = {}
		for i = 1, 4 do
			pipes[i] = io.popen(([[cd %s; for i in $(seq 25); do
				timeout 60 curl -sS --cacert ca.pem --connect-to ::127.0.0.1:%d https://site.test/hello 2>&1; echo; done]]):format(
				path, gateway.port))
		end
		for i = 1, 20 do
			copy(gateway, i % 2 == 1 and "new" or "first")
			gateway.gateway:signal("HUP")
			assert.equal(0, select(3, gateway.gateway:reload()))
		end
		for i = 1, 4 do
			assert.equal(("old\n"):rep(25), pipes[i]:read("a"))
			pipes[i]:close()
		end
		gateway:stop()
	end)
end)
