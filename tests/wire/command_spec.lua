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
	local seconds = "seconds, a number from 0"
	local proxy_headers = "'x-forwarded-for', 'x-forwarded-proto' or 'x-forwarded-host'; or 'forwarded' alone; or 'none' alone"
	local cases = {
		{ "unknown command 'sevre'; did you mean 'serve'?", "sevre" },
		{ "unknown command 'Serve'; did you mean 'serve'?", "Serve" },
		{ "unknown command 'chekc'; did you mean 'check'?", "chekc" },
		{ "unknown command 'route'; did you mean 'routes'?", "route" },
		{ "unknown command ''", "" },
		{ "unknown command 'deploy'", "deploy" },
		{ "unknown flag '--lisen'; did you mean '--listen'?", "serve", "--lisen", "x" },
		{ "unknown flag '--lisen=x'; did you mean '--listen'?", "serve", "--lisen=x" },
		{ "unknown flag '--log_level'; did you mean '--log-level'?", "serve", "--log_level", "info" },
		{ "unknown flag '-listen'; did you mean '--listen'?", "serve", "-listen", "x" },
		{ "unknown flag '--colour'", "serve", "--colour" },
		{ "unknown flag '-x'", "serve", "-x" },
		{ "unknown flag '-xyz'", "serve", "-xyz" },
		{ "unknown flag '--" .. ("x"):rep(100) .. "'", "serve", "--" .. ("x"):rep(100) },
		{ "check takes no --json", "check", "--json" },
		{ "reload takes no --listen: it asks a running gateway", "reload", "--listen", ":80" },
		{ "stop takes no --threads: it asks a running gateway", "stop", "--threads", "2" },
		{ "unknown flag '--thread'; did you mean '--threads'?", "serve", "--thread", "2" },
		{ "unknown flag '--thread=2'; did you mean '--threads'?", "serve", ".", "--thread=2" },
		{ "unknown flag '--thread'; did you mean '--threads'?", "serve", "--thread" },
		{ "unknown flag '--debug-event'; did you mean '--debug-events'?", "check", "--debug-event" },
		{ "unknown flag '--debug-event=1'; did you mean '--debug-events'?", "check", "--debug-event=1" },
		{ "unknown flag '--js'; did you mean '--json'?", "routes", "--threads", "2", "--js" },
		{ "unknown flag '-5'", "serve", "--threads", "2", "-5" },
		{ "status takes no --log-level: it asks a running gateway", "status", "--json", "--log-level=info" },
		{ "'--log' may be --log-level or --log-format", "serve", "--log", "info" },
		{ "--listen needs a value: ADDR:PORT", "serve", "--listen" },
		{ "--time-limit needs a value: SECONDS", "check", ".", "--time-limit" },
		{ "'--debug-events=1': this flag takes no value", "serve", "--debug-events=1" },
		{ "'--json=1': this flag takes no value", "routes", "--json=1" },
		{ "one folder is enough: 'b'", "serve", "a", "b" },
		{ "one folder is enough: '--threads'", "serve", "--", "a", "--threads" },
		{ "--trusted-proxies must be an address, a network such as '10.0.0.0/8', 'loopback', 'private' or 'unix', "
			.. "at most 64 of them, not '10.0.0.1/8'", "serve", "--trusted-proxies", "10.0.0.1/8" },
		{ ("--proxy-headers must be %s, not 'forwarded'"):format(proxy_headers), "serve",
			"--proxy-headers", "x-forwarded-for", "--proxy-headers", "forwarded" },
		{ "--dns-servers must be an address such as '192.0.2.53' or '127.0.0.1:5353', at most 64 of them, "
			.. "not 'dns.example'", "serve", "--dns-servers", "dns.example" },
		{ "--request-id-header must be the name of a header field, not 'a b'", "serve", "--request-id-header", "a b" },
		{ "--log-level must be 'debug', 'info', 'warn', 'error' or 'off', not 'loud'", "serve", "--log-level", "loud" },
		{ "--log-format must be 'auto', 'text' or 'json', not 'xml'", "serve", "--log-format", "xml" },
		{ "--access-log must be a file, '-' or 'off', not ''", "serve", "--access-log", "" },
		{ "--pid-file must be a file, not ''", "serve", "--pid-file", "" },
		{ "--pid-file must be a file, not ''", "reload", "--pid-file", "" },
		{ "--line-limit must be a whole number of bytes from 64 to 1048576, not '1'", "serve", "--line-limit", "1" },
		{ "--field-limit must be a whole number from 1 to 100, not '101'", "serve", "--field-limit", "101" },
		{ "--body-limit must be a whole number from 1, or 'inf', not '1M'", "serve", "--body-limit", "1M" },
		{ ("--drain-timeout must be %s, not '1s'"):format(seconds), "serve", "--drain-timeout", "1s" },
	}
	for _, value in ipairs({ "0", "-1", "1025", "2x", "", "99999999999999999999" }) do
		cases[#cases + 1] = {
			("--threads must be an integer from 1 to 1024, not '%s'"):format(value), "serve", "--threads=" .. value,
		}
	end
	for _, value in ipairs({ "-1", "nan", "inf" }) do
		cases[#cases + 1] = {
			("--shutdown-timeout must be %s, not '%s'"):format(seconds, value), "serve", "--shutdown-timeout", value,
		}
	end
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
		assert.equal("tidegate: --listen must be one of at most 32 addresses, not '127.0.0.1:0' (see `tidegate help`)\n",
			refused(33, "--listen", "127.0.0.1:0"))
		project:delete()
	end)

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

describe("when tidegate.lua has an error,", function()
	it("a running gateway is asked and stopped all the same", function()
		local gateway = server.start({ files = hello })
		gateway.project:write("tidegate.lua", "return {\n\tlisten =")
		local output, errors, code = program.run("status", gateway.project.path)
		assert.same({ "", 0 }, { errors, code })
		assert.match("\ngeneration 1 serves", output)
		output, errors, code = gateway:reload()
		assert.same({ "", 1 }, { output, code })
		assert.match("^tidegate.lua:2: unexpected symbol", errors)
		assert.same({ "stopping\n", "", 0 }, { program.run("stop", gateway.project.path) })
		gateway:ended()
	end)

	it("it is found by --pid-file, wherever the settings have it", function()
		local gateway = server.start({ files = { ["handlers/hello.lua"] = hello["handlers/hello.lua"],
			["tidegate.lua"] = "return { pid_file = 'here.pid' }" } })
		gateway.project:write("tidegate.lua", "return 1")
		local pid_file = gateway.project.path .. "/here.pid"
		assert.equal(1, select(3, program.run("status", gateway.project.path)))
		assert.equal(0, select(3, program.run("status", gateway.project.path, "--pid-file", pid_file)))
		assert.equal(0, select(3, program.run("stop", "--pid-file", pid_file)))
		gateway:ended()
	end)
end)

describe("the control socket", function()
	it("sends callers away that ask nothing, so that others have their place", function()
		local gateway = server.start({ files = hello })
		local path = gateway.project.path .. "/.tidegate.sock"
		local idle = {}
		for i = 1, 16 do
			idle[i] = gateway:connect(path)
			idle[i]:send("stat") -- and no more
		end
		assert.equal("failed\nno command has come in time\n\0", idle[1]:rest())
		for i = 2, 16 do
			assert.match("^failed\n", idle[i]:rest())
		end
		assert.equal(0, select(3, program.run("status", gateway.project.path)))
		for _, connection in ipairs(idle) do
			connection:close()
		end
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

		it(("tidegate %s tells of settings that cannot be read, too"):format(command), function()
			local project = projects.new({ ["tidegate.lua"] = "return {\n\tpid_file = 'x.pid',\n\tthread = 2,\n}" })
			assert.same({ "", ("tidegate: no gateway answers at %s/.tidegate.sock: No such file or directory\n"
				.. "tidegate: the settings may name another pid_file, but they cannot be read: "
				.. "tidegate.lua:3: unknown setting 'thread'; did you mean 'threads'?\n"):format(project.path), 1 },
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
