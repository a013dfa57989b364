local projects = require("tests.support.project")
local program = require("tests.support.program")
local server = require("tests.support.server")

-- A gateway whose only address redirects; `to` is text of Lua.
local function start(to)
	local project = projects.new({
		["handlers/hello.lua"] = "return function() return 'handled' end",
		["tidegate.lua"] = ("return { listen = { '127.0.0.1:0', redirect_https = %s } }"):format(to),
	})
	local gateway = server.adopt(program.start({ "serve", project.path, "--threads", 1 }), project)
	gateway:await_listeners(1)
	return gateway
end

local function stop(gateway)
	gateway:stop()
	gateway.project:delete()
end

local function location(gateway, request)
	local client = gateway:connect()
	client:send(request)
	local response = client:response()
	client:close()
	return response.status == 308 and response.headers.location or response.status
end

local function get(target, host, more)
	return ("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n"):format(target, host, more or "")
end

describe("redirect_https", function()
	for to, cases in pairs({
		["true"] = {
			{ get("/hello?a=%20b", "site.test"), "https://site.test/hello?a=%20b" },
			{ get("/", "site.test:8080"), "https://site.test/" },
			{ get("/x", "[::1]:8080"), "https://[::1]/x" },
			{ get("/x", "[::1]"), "https://[::1]/x" },
			{ get("//evil.test/", "site.test"), "https://site.test//evil.test/" },
			{ get("http://other.test:80/x?y", "site.test"), "https://other.test/x?y" },
			{ get("http://other.test?y", "site.test"), "https://other.test/?y" },
			{ "OPTIONS * HTTP/1.1\r\nHost: site.test\r\n\r\n", "https://site.test/" },
			{ "POST /hello HTTP/1.1\r\nHost: site.test\r\nContent-Length: 4\r\n\r\ntide", "https://site.test/hello" },
			{ get("/", ""), 400 },
			{ "GET / HTTP/1.0\r\n\r\n", 400 },
			{ get("/", "a b"), 400 },
			{ get("/", "a/b"), 400 },
			{ get("/", "user@site.test"), 400 },
		},
		["8443"] = {
			{ get("/hello", "site.test:8080"), "https://site.test:8443/hello" },
			{ get("/hello", "[::1]:80"), "https://[::1]:8443/hello" },
		},
		["443"] = { { get("/hello", "site.test"), "https://site.test/hello" } },
		["'https://www.site.test:444'"] = {
			{ get("/hello", "site.test"), "https://www.site.test:444/hello" },
			{ "GET /hello HTTP/1.0\r\n\r\n", "https://www.site.test:444/hello" },
		},
		["false"] = { { get("/hello", "site.test"), 200 } },
	}) do
		it("= " .. to .. " sends clients there", function()
			local gateway = start(to)
			for _, case in ipairs(cases) do
				assert.equal(case[2], location(gateway, case[1]), case[1])
			end
			stop(gateway)
		end)
	end

	it("keeps the connection, and drops what was sent with the request", function()
		local gateway = start("true")
		local client = gateway:connect()
		client:ask("POST", "/hello", {}, "tide"):ask("GET", "/hello"):ask("HEAD", "/hello")
		assert.equal(308, client:response().status)
		assert.equal(308, client:response().status)
		assert.equal(308, client:response("HEAD").status)
		client:close()
		stop(gateway)
	end)
end)
