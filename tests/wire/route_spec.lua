local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

-- Answers with its name, its route and its parameters.
local function show(name, options)
	local body = ([[function(request)
		local list = {}
		for key, value in pairs(request.params) do
			list[#list + 1] = (" %%s=%%s:%%s"):format(key, value, math.type(value) or type(value))
		end
		table.sort(list)
		return %q .. table.concat(list)
	end]]):format(name)
	return options and ("return { GET = %s, %s }"):format(body, options) or "return " .. body
end

describe("a route", function()
	local gateway

	lazy_setup(function()
		gateway = server.start({ files = {
			["handlers/index.lua"] = show("index"),
			["handlers/hello.lua"] = show("hello"),
			["handlers/users/index.lua"] = show("users"),
			["handlers/users/{id}.lua"] = show("user"),
			["handlers/users/{id:int}.lua"] = show("number"),
			["handlers/users/me.lua"] = show("me"),
			["handlers/users/{id}/posts/{post:int}.lua"] = show("post"),
			["handlers/files/{path...}.lua"] = show("file"),
			["handlers/images/{name}.{ext}.lua"] = show("image"),
			["handlers/t/number/{v:number}.lua"] = show("number"),
			["handlers/t/word/{v:word}.lua"] = show("word"),
			["handlers/t/hex/{v:hex}.lua"] = show("hex"),
			["handlers/t/uuid/{v:uuid}.lua"] = show("uuid"),
			["handlers/t/date/{v:date}.lua"] = show("date"),
			["handlers/t/re/{v:[a-c]+}.lua"] = show("re"),
			["handlers/listed.lua"] = show("listed", "path = { '/one', '/two/{n:int}' }"),
			["handlers/moved.lua"] = show("moved", "path = '/to/here'"),
			["handlers/no_middleware.lua"] = show("no middleware"),
			["handlers/no/route.lua"] = show("not wrapped"),
			["handlers/_hidden.lua"] = show("hidden"),
			["handlers/_folder/in.lua"] = show("hidden"),
			["handlers/.dot.lua"] = show("dot"),
			["handlers/status.lua"] = show("any host"),
			["handlers/status_north.lua"] = show("north", "path = '/status', host = 'North.example.com'"),
			["handlers/status_all.lua"] = show("below", "path = '/status', host = '*.example.com'"),
			["handlers/only.lua"] = show("only", "host = 'only.example.com'"),
			["handlers/ü.lua"] = show("umlaut"),
			["handlers/methods.lua"] = [[
				local function by(name) return function(request) return name .. ":" .. request.method end end
				return { GET = by("get"), POST = by("post"), PROPFIND = by("propfind") }]],
			["handlers/own.lua"] = [[
				return { GET = function() return "get" end, HEAD = function() return 200, "headers", { ["x-own"] = "head" } end,
					OPTIONS = function() return 200, "options" end }]],
			["handlers/post.lua"] = "return { POST = function() return 'posted' end }",
			["handlers/any.lua"] = "return function(request) return request.method end",
		} })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	describe("is found:", function()
		local cases = {
			{ "/", "index" },
			{ "/hello", "hello" },
			{ "/hello?x", "hello" },
			{ "/users", "users" },
			{ "/users/ada", "user id=ada:string" },
			{ "/users/7", "number id=7:integer" },
			{ "/users/-7", "number id=-7:integer" },
			{ "/users/7.5", "user id=7.5:string" },
			{ "/users/99999999999999999999", "user id=99999999999999999999:string" },
			{ "/users/me", "me" },
			{ "/users/m%65", "me" },
			{ "/users/ada/posts/3", "post id=ada:string post=3:integer" },
			{ "/users/me/posts/3", "post id=me:string post=3:integer" },
			{ "/users/a%2Fb", "user id=a%2Fb:string" },
			{ "/users/a%20b", "user id=a b:string" },
			{ "/users/x/../ada", "user id=ada:string" },
			{ "/files/", "file path=:string" },
			{ "/files/a/b.txt", "file path=a/b.txt:string" },
			{ "/files/a/", "file path=a/:string" },
			{ "/images/tide.tar.gz", "image ext=tar.gz:string name=tide:string" },
			{ "/t/number/-1.5e3", "number v=-1500.0:float" },
			{ "/t/number/3", "number v=3:integer" },
			{ "/t/word/a-b_9", "word v=a-b_9:string" },
			{ "/t/hex/DEADbeef01", "hex v=DEADbeef01:string" },
			{ "/t/uuid/123e4567-e89b-12d3-a456-426614174000", "uuid v=123e4567-e89b-12d3-a456-426614174000:string" },
			{ "/t/date/2024-02-29", "date v=2024-02-29:string" },
			{ "/t/re/abcab", "re v=abcab:string" },
			{ "/one", "listed" },
			{ "/two/2", "listed n=2:integer" },
			{ "/to/here", "moved" },
			{ "/%C3%BC", "umlaut" },
			{ "/no_middleware", "no middleware" },
			{ "/no/route", "not wrapped" },
		}
		for _, case in ipairs(cases) do
			local target, body = table.unpack(case)
			it(target, function()
				assert.equal(body, gateway:get(target).body)
			end)
		end
	end)

	describe("is not found:", function()
		local targets = {
			"/nowhere", "/hello/", "/hello/x", "/Hello", "/users/", "/users//", "/users/ada/", "/users/ada/posts/x",
			"/users/a/b", "/files", "/images/tide", "/t/number/x", "/t/word/a.b", "/t/hex/xyz", "/t/uuid/123e4567",
			"/t/date/2023-02-29", "/t/date/2024-13-01", "/t/re/abd", "/t/re/", "/two/x", "/listed", "/moved",
			"/_hidden", "/_folder/in", "/.dot", "/_middleware", "/index", "/hello.lua", "//", "/only",
		}
		for _, target in ipairs(targets) do
			it(target, function()
				local response = gateway:get(target)
				assert.equal(404, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
				assert.equal('{"status":404,"title":"Not Found","type":"about:blank"}\n', response.body)
			end)
		end
	end)

	describe("by host", function()
		local cases = {
			{ "north.example.com", "/status", "north" },
			{ "NORTH.EXAMPLE.COM:8080", "/status", "north" },
			{ "south.example.com", "/status", "below" },
			{ "a.b.example.com", "/status", "below" },
			{ "example.com", "/status", "any host" },
			{ "badexample.com", "/status", "any host" },
			{ "elsewhere", "/status", "any host" },
			{ "north.example.com", "/hello", "hello" },
			{ "only.example.com", "/only", "only" },
		}
		for _, case in ipairs(cases) do
			local host, target, body = table.unpack(case)
			it(("%s%s is %q"):format(host, target, body), function()
				local connection = gateway:connect():send(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"):format(target, host))
				assert.equal(body, connection:response().body)
				connection:close()
			end)
		end
	end)

	describe("by method:", function()
		local function ask(method, target)
			local connection = gateway:connect()
			local response = connection:ask(method, target):response(method)
			connection:close()
			return response
		end

		for method, body in pairs({ GET = "get:GET", POST = "post:POST", PROPFIND = "propfind:PROPFIND" }) do
			it(method .. " has its function", function()
				assert.equal(body, ask(method, "/methods").body)
			end)
		end

		it("HEAD is GET without the body", function()
			local response = ask("HEAD", "/methods")
			assert.equal(200, response.status)
			assert.equal("8", response.headers["content-length"])
		end)

		it("OPTIONS says what is allowed", function()
			local response = ask("OPTIONS", "/methods")
			assert.equal(204, response.status)
			assert.equal("GET, HEAD, OPTIONS, POST, PROPFIND", response.headers.allow)
			assert.equal("OPTIONS, POST", ask("OPTIONS", "/post").headers.allow)
		end)

		for _, method in ipairs({ "PUT", "PATCH", "DELETE" }) do
			it(method .. " is 405, with what is allowed", function()
				local response = ask(method, "/methods")
				assert.equal(405, response.status)
				assert.equal("GET, HEAD, OPTIONS, POST, PROPFIND", response.headers.allow)
				assert.equal('{"status":405,"title":"Method Not Allowed","type":"about:blank"}\n', response.body)
			end)
		end

		for _, method in ipairs({ "BREW", "get", "M-SEARCH" }) do
			it(method .. " is 501, with what is allowed", function()
				local response = ask(method, "/methods")
				assert.equal(501, response.status)
				assert.equal("GET, HEAD, OPTIONS, POST, PROPFIND", response.headers.allow)
			end)
		end

		it("HEAD without GET is 405", function()
			assert.equal(405, ask("HEAD", "/post").status)
		end)

		it("HEAD and OPTIONS may have functions of their own", function()
			local response = ask("HEAD", "/own")
			assert.equal("head", response.headers["x-own"])
			assert.equal("7", response.headers["content-length"])
			assert.equal("options", ask("OPTIONS", "/own").body)
		end)

		for _, method in ipairs({ "GET", "DELETE", "OPTIONS", "BREW" }) do
			it(method .. " is answered by a bare function", function()
				assert.equal(method, ask(method, "/any").body)
			end)
		end
	end)

	it("is not found before its methods are looked at", function()
		assert.equal(404, gateway:fetch("BREW", "/nowhere").status)
	end)

	describe("does not load:", function()
		local cases = {
			{ "two for one path", { ["a.lua"] = "return { GET = print, path = '/b' }", ["b.lua"] = "return print" },
				"'/b' is also served by handlers/a.lua" },
			{ "two that differ by names only", { ["{a}.lua"] = "return print", ["{b}.lua"] = "return print" }, "is also served by" },
			{ "an unknown key", { ["a.lua"] = "return {\n\tGET = print,\n\tpaht = '/b',\n}" },
				"handlers/a.lua:3: unknown key 'paht'; did you mean 'path'?" },
			{ "a slip in a method", { ["a.lua"] = "return { GETT = print }" }, "handlers/a.lua:1: unknown method 'GETT'; did you mean 'GET'?" },
			{ "a method that is no function", { ["a.lua"] = "return { GET = 'x' }" }, "handlers/a.lua:1: 'GET' must be a function, not a string" },
			{ "a table without a method", { ["a.lua"] = "return { path = '/a' }" }, "has no method" },
			{ "a file that returns nothing", { ["a.lua"] = "local x = 1" }, "handlers/a.lua:1: must return a function or a table of methods, not a nil" },
			{ "a syntax error", { ["a.lua"] = "\nreturn function( end" }, "handlers/a.lua:2: " },
			{ "an error", { ["a.lua"] = "\n\nerror('at load')" }, "handlers/a.lua:3: at load" },
			{ "a malformed template in a name", { ["{a.lua"] = "return print" }, "handlers/{a.lua:1: " },
			{ "a malformed template in path", { ["a.lua"] = "return { GET = print,\npath = '/{a' }" }, "handlers/a.lua:2: " },
			{ "an unknown limit", { ["a.lua"] = "return { GET = print, limits = { bdoy = 1 } }" }, "unknown limit 'bdoy'; did you mean 'body'?" },
			{ "a negative limit", { ["a.lua"] = "return { GET = print, limits = { body = -1 } }" }, "limit 'body' must be" },
			{ "a malformed host", { ["a.lua"] = "return { GET = print, host = 'a:80' }" }, "malformed host 'a:80'" },
		}
		for _, case in ipairs(cases) do
			local what, files, message = table.unpack(case)
			it(what, function()
				local project = projects.new()
				for name, text in pairs(files) do
					project:write("handlers/" .. name, text)
				end
				local _, errors, code = program.run("check", project.path)
				assert.equal(1, code)
				assert.is_truthy(errors:find(message, 1, true), errors)
				project:delete()
			end)
		end

		it("and all errors are told at once", function()
			local project = projects.new({ ["handlers/a.lua"] = "return 1", ["handlers/b.lua"] = "return 2" })
			local _, errors = program.run("check", project.path)
			assert.is_truthy(errors:find("handlers/a.lua:1: ", 1, true) and errors:find("handlers/b.lua:1: ", 1, true), errors)
			project:delete()
		end)
	end)
end)
