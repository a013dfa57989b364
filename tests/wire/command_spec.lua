local json = require("dkjson")

local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local hello = { ["handlers/hello.lua"] = "return function() return 'hi' end" }

describe("tidegate version", function()
	it("names the gateway, its libraries, libevent's backends and the content codings", function()
		local output, errors, code = program.run("version")
		assert.same({ "", 0 }, { errors, code })
		local lines = {}
		for line in output:gmatch("([^\n]*)\n") do
			lines[#lines + 1] = line
		end
		assert.match("^tidegate %d+%.%d+%.%d+$", lines[1])
		assert.match("^libevent 2%.1%.%d+%-stable, backend epoll.* of epoll poll select$", lines[2])
		assert.match("^OpenSSL 3%.%d+%.%d+", lines[3])
		assert.match("^codings gzip %(zlib %d+%.[%d.]+%)", lines[4])
		assert.match("^Lua 5%.4%.%d+$", lines[#lines - 1])
		assert.match("^LPeg %d+%.%d+%.%d+$", lines[#lines])
	end)

	it("is --version too", function()
		assert.same({ program.run("version") }, { program.run("--version") })
	end)

	it("takes no arguments", function()
		assert.same({ "", "tidegate: version takes no arguments: 'x' (see `tidegate help`)\n", 2 },
			{ program.run("version", "x") })
	end)
end)

describe("tidegate help", function()
	it("lists every command and every flag", function()
		local output, errors, code = program.run("help")
		assert.same({ "", 0 }, { errors, code })
		for _, command in ipairs({ "serve", "check", "routes", "reload", "stop", "status", "version", "help" }) do
			assert.match("\n  tidegate " .. command .. " +[^\n]*%a", output)
		end
		for _, flag in ipairs({
			"listen", "handlers", "config", "threads", "pid-file", "log-level", "log-format", "access-log",
			"compress", "event-backend", "debug-events", "shutdown-timeout", "drain-timeout", "start-timeout",
		}) do
			assert.match("\n  %-%-" .. flag:gsub("%-", "%%-") .. " [^\n]*  %a", output)
		end
	end)

	for _, arguments in ipairs({ { "--help" }, { "-h" }, {} }) do
		it(("is `tidegate %s` too"):format(table.concat(arguments)), function()
			assert.same({ program.run("help") }, { program.run(table.unpack(arguments)) })
		end)
	end
end)

describe("wrong usage", function()
	local cases = {
		{ "unknown command 'sevre'", "sevre" },
		{ "unknown command ''", "" },
		{ "unknown command 'Serve'", "Serve" },
		{ "unknown flag '--lisen'", "serve", "--lisen", "x" },
		{ "unknown flag '--lisen=x'", "serve", "--lisen=x" },
		{ "unknown flag '-x'", "serve", "-x" },
		{ "unknown flag '-x'", "serve", "-xyz" },
		{ "unknown flag '--json'", "check", "--json" },
		{ "unknown flag '--log'", "serve", "--log", "info" }, -- log_level or log_format?
		{ "'--listen' needs a value", "serve", "--listen" },
		{ "'--debug-events=1': this flag takes no value", "serve", "--debug-events=1" },
		{ "one folder is enough: 'b'", "serve", "a", "b" },
		{ "one folder is enough: '--threads'", "serve", "--", "a", "--threads" },
		{ "--trusted-proxies cannot be '10.0.0.1/8'", "serve", "--trusted-proxies", "10.0.0.1/8" },
		{ "--proxy-headers cannot be 'forwarded'", "serve", "--proxy-headers", "x-forwarded-for", "--proxy-headers", "forwarded" },
		{ "--dns-servers cannot be 'dns.example'", "serve", "--dns-servers", "dns.example" },
		{ "--request-id-header cannot be 'a b'", "serve", "--request-id-header", "a b" },
		{ "--threads cannot be '0'", "serve", "--threads", "0" },
		{ "--threads cannot be '-1'", "serve", "--threads", "-1" },
		{ "--threads cannot be '1025'", "serve", "--threads", "1025" },
		{ "--threads cannot be '2x'", "serve", "--threads", "2x" },
		{ "--threads cannot be ''", "serve", "--threads=" },
		{ "--threads cannot be '99999999999999999999'", "serve", "--threads", "99999999999999999999" },
		{ "--log-level cannot be 'loud'", "serve", "--log-level", "loud" },
		{ "--log-format cannot be 'xml'", "serve", "--log-format", "xml" },
		{ "--access-log cannot be ''", "serve", "--access-log", "" },
		{ "--pid-file cannot be ''", "serve", "--pid-file", "" },
		{ "--shutdown-timeout cannot be '-1'", "serve", "--shutdown-timeout", "-1" },
		{ "--shutdown-timeout cannot be 'nan'", "serve", "--shutdown-timeout", "nan" },
		{ "--shutdown-timeout cannot be 'inf'", "serve", "--shutdown-timeout", "inf" },
		{ "--drain-timeout cannot be '1s'", "serve", "--drain-timeout", "1s" },
	}
	for _, case in ipairs(cases) do
		it("is refused: " .. table.concat(case, " ", 2), function()
			local output, errors, code = program.run(table.unpack(case, 2))
			assert.same({ "", ("tidegate: %s (see `tidegate help`)\n"):format(case[1]), 2 }, { output, errors, code })
		end)
	end

	it("is refused with 300 flags, and with 33 listeners", function()
		local project = projects.new()
		local function refused(count, flag, value)
			local arguments = { "serve", project.path }
			for _ = 1, count do
				table.move({ flag, value }, 1, 2, #arguments + 1, arguments)
			end
			local _, errors, code = program.run(table.unpack(arguments))
			assert.equal(2, code)
			return errors
		end
		assert.equal("tidegate: too many flags (see `tidegate help`)\n", refused(300, "--threads", "1"))
		assert.equal("tidegate: --listen cannot be '127.0.0.1:0' (see `tidegate help`)\n",
			refused(33, "--listen", "127.0.0.1:0"))
		project:delete()
	end)

	pending("of a command or a flag suggests the one that was meant")
end)

describe("tidegate routes", function()
	local project

	before_each(function()
		project = projects.new({
			["handlers/index.lua"] = "return function() end",
			["handlers/users/{id:int}.lua"] = "return { PUT = print, GET = print, host = 'a.example' }",
			["handlers/users/_middleware.lua"] = "return function(_, _, next) return next() end",
			["handlers/_middleware.lua"] = "return function(_, _, next) return next() end",
			["handlers/two.lua"] = "return { GET = print, path = { '/b', '/a' } }",
			["handlers/_skipped.lua"] = "error('not a route')",
			["handlers/notes.txt"] = "not Lua",
		})
	end)

	after_each(function()
		project:delete()
	end)

	it("prints a table by path", function()
		local output, errors, code = program.run("routes", project.path)
		assert.same({ "", 0 }, { errors, code })
		assert.equal([[
ANY      /                         handlers/index.lua           handlers/_middleware.lua
GET      /a                        handlers/two.lua             handlers/_middleware.lua
GET      /b                        handlers/two.lua             handlers/_middleware.lua
GET PUT  a.example/users/{id:int}  handlers/users/{id:int}.lua  handlers/_middleware.lua handlers/users/_middleware.lua
]], output)
	end)

	it("prints JSON with --json", function()
		local output, errors, code = program.run("routes", "--json", project.path)
		assert.same({ "", 0 }, { errors, code })
		local top, deep = "handlers/_middleware.lua", "handlers/users/_middleware.lua"
		assert.same({
			{ methods = { "ANY" }, path = "/", file = "handlers/index.lua", middleware = { top } },
			{ methods = { "GET" }, path = "/a", file = "handlers/two.lua", middleware = { top } },
			{ methods = { "GET" }, path = "/b", file = "handlers/two.lua", middleware = { top } },
			{
				methods = { "GET", "PUT" },
				path = "/users/{id:int}",
				host = "a.example",
				file = "handlers/users/{id:int}.lua",
				middleware = { top, deep },
			},
		}, (json.decode(output, 1, nil, nil, nil)))
	end)

	it("prints an empty list as JSON when there are none", function()
		local empty = projects.new()
		assert.same({ "[]\n", "", 0 }, { program.run("routes", "--json", empty.path) })
		empty:delete()
	end)

	it("prints the errors instead, and fails", function()
		project:write("handlers/broken.lua", "return 1 +")
		assert.same({ "", "handlers/broken.lua:1: unexpected symbol near <eof>\n", 1 },
			{ program.run("routes", project.path) })
	end)

	it("takes another folder", function()
		project:write("lua/greeting.lua", "return 1")
		project:write("web/only.lua", "require('greeting') return print")
		assert.same({ "ANY  /only  web/only.lua\n", "", 0 }, { program.run("routes", project.path, "--handlers", "web") })
		assert.same({ "ANY  /only  web/only.lua\n", "", 0 },
			{ program.run("routes", project.path, "--handlers", "web/") })
	end)
end)

describe("tidegate reload", function()
	it("prints what has changed", function()
		local gateway = server.start({ files = hello })
		gateway.project:write("handlers/hello.lua", "return function() return 'new' end")
		gateway.project:write("handlers/more.lua", "return function() return 'more' end")
		local output, errors, code = gateway:reload()
		assert.same({ "", 0 }, { errors, code })
		assert.match("^generation 2 serves: 1 added, 0 removed, 1 changed "
			.. "%(handlers/hello%.lua, handlers/more%.lua%), %d+%.%d ms\n$", output)
		assert.equal("new", gateway:get("/hello").body)
		assert.equal("more", gateway:get("/more").body)
		gateway.project:remove("handlers/more.lua")
		assert.match("^generation 3 serves: 0 added, 1 removed, 0 changed %(handlers/more%.lua%), ", (gateway:reload()))
		assert.equal(404, gateway:get("/more").status)
		gateway:stop()
	end)

	it("prints file and line and fails when it is refused", function()
		local gateway = server.start({ files = hello })
		gateway.project:write("handlers/hello.lua", "\n\nreturn function(")
		gateway.project:write("handlers/more.lua", "return { GETT = print }")
		local output, errors, code = gateway:reload()
		assert.same({ "", 1 }, { output, code })
		assert.equal("handlers/hello.lua:3: <name> or '...' expected near <eof>\n"
			.. "handlers/more.lua:1: unknown method 'GETT'; did you mean 'GET'?\n", errors)
		assert.equal("hi", gateway:get("/hello").body)
		assert.equal(404, gateway:get("/more").status)
		gateway:stop()
	end)

	it("works from within the folder", function()
		local gateway = server.start({ files = hello })
		local path = program.path:find("^/") and program.path or os.getenv("PWD") .. "/" .. program.path
		local pipe = io.popen(("cd %s && %s reload 2>&1; echo $?"):format(gateway.project.path, projects.quote(path)))
		assert.match("^generation 2 serves: .*\n0\n$", pipe:read("a"))
		pipe:close()
		gateway:stop()
	end)
end)

describe("when no gateway runs,", function()
	for _, command in ipairs({ "reload", "stop", "status" }) do
		it(("tidegate %s says so"):format(command), function()
			local project = projects.new(hello)
			assert.same(
				{ "", ("tidegate: no gateway answers at %s/.tidegate.sock: No such file or directory\n"):format(project.path), 1 },
				{ program.run(command, project.path) })
			project:delete()
		end)

		it(("tidegate %s takes no path that is too long for a socket"):format(command), function()
			local project = projects.new(hello)
			local output, errors, code = program.run(command, project.path, "--pid-file", "/tmp/" .. ("x"):rep(120))
			project:delete()
			assert.same({ "", 1 }, { output, code })
			assert.match("^tidegate: the path of the control socket is too long %(/tmp/x+%.sock%); "
				.. "give a shorter %-%-pid%-file\n$", errors)
		end)
	end
end)

describe("--help", function()
	for _, arguments in ipairs({ { "--help" }, { "-h" }, { "serve", "--help" }, { "reload", "-h" } }) do
		it("prints the help: " .. table.concat(arguments, " "), function()
			local output, errors, code = program.run(table.unpack(arguments))
			assert.equal((program.run("help")), output)
			assert.equal("", errors)
			assert.equal(0, code)
		end)
	end
end)
