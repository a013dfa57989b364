-- Whatever is wrong at the edge ends in a clear sentence, never in a crash.

local socket = require("socket")

local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

-- Runs it, for a minute at most; returns the lines of its log without those
-- of a traceback, and the exit code.
local function attempt(...)
	local running = program.start({ ... }, "timeout 60")
	local code = running:wait()
	local log = running.last_log
	assert.not_match("Sanitizer", log)
	assert.not_match("runtime error:", log)
	assert.not_match("[Aa]ssert", log)
	local lines = {}
	for line in log:gmatch("([^\n]*)\n") do
		if not line:find("^\t") and line ~= "stack traceback:" and not line:find('"msg":"stopped"') then
			lines[#lines + 1] = line
		end
	end
	return lines, code
end

describe("bad input:", function()
	local project

	before_each(function()
		project = projects.new({ ["handlers/good.lua"] = "return function() return 'good' end" })
	end)

	after_each(function()
		os.execute("chmod -R u+rwx " .. projects.quote(project.path))
		project:delete()
	end)

	local function shell(command)
		assert(os.execute(("cd %s && %s"):format(projects.quote(project.path), command)))
	end

	-- Neither loads nor serves it.
	local function refuses(expected)
		local lines, code = attempt("check", project.path)
		assert.same({ { expected }, 1 }, { lines, code })
		lines, code = attempt("serve", project.path, "--listen", "127.0.0.1:0")
		assert.same({ { expected }, 1 }, { lines, code })
	end

	-- Loads it; the route answers.
	local function serves(target, expected)
		assert.same({ { "all handlers load" }, 0 }, { attempt("check", project.path) })
		local gateway = server.start({ project = project })
		local response = gateway:get(target)
		assert.same({ 200, expected }, { response.status, response.body })
		gateway:stop()
	end

	local function nested(depth)
		return "return " .. ("{"):rep(depth) .. ("}"):rep(depth)
	end

	local broken = {
		{ "a syntax error", "return function(\n", ":2: <name> or '...' expected near <eof>" },
		{ "an open string", "return 'x", ":1: unfinished string near <eof>" },
		{ "too deep a table", nested(300), ": C stack overflow" },
		{ "an error while it loads", "\n\nerror('no tide')", ":3: no tide" },
		{ "an error that is a table", "error({ 1 })", ": it raised a table, not a message" },
		{ "an error that is nil", "error()", ": nil" },
		{ "an error without a place", "error('no tide', 0)", ": no tide" },
		{ "an endless recursion", "local function f() f() return 1 end\nf()", ":1: stack overflow" },
		{ "an endless string", "local s = ('x'):rep(1e10) return s", ":1: resulting string too large" },
		{ "a wait while it loads", "require('tidegate.timer').sleep(1)",
			":1: cannot wait here: not in a handler, timer or on_start" },
		{ "os.exit", "os.exit(0)", ":1: attempt to call a nil value (field 'exit')" },
		{ "a failure", "require('tidegate').fail(404, 'not here')", ": 404 not here" },
		{ "a number in place of a route", "return 5",
			":1: must return a function or a table of methods, not a number" },
		{ "a string in place of a route", "local x\nreturn 'x'",
			":2: must return a function or a table of methods, not a string" },
		{ "nothing", "", ":1: must return a function or a table of methods, not a nil" },
		{ "a table without a method", "return {}", ":1: has no method: a table needs a function such as GET" },
		{ "a slip in a method", "return {\n\tGET = print,\n\tGETT = print,\n}",
			":3: unknown method 'GETT'; did you mean 'GET'?" },
		{ "a slip in a key", "return {\n\tGET = print,\n\tpaht = '/x',\n}",
			":3: unknown key 'paht'; did you mean 'path'?" },
		{ "a method in lower case", "return { get = print }", ":1: unknown key 'get'; did you mean 'GET'?" },
		{ "a list", "return { print }", ":1: unknown key '1'" },
		{ "a method that is no function", "return { GET = 'x' }", ":1: 'GET' must be a function, not a string" },
		{ "a path that is none", "return { GET = print, path = 5 }",
			":1: 'path' must be a template or a list of templates" },
		{ "no paths", "return { GET = print, path = {} }",
			":1: 'path' must be a template or a list of templates" },
		{ "a path among others that is none", "return { GET = print, path = { '/x', 5 } }",
			":1: 'path' holds a number, not only templates" },
		{ "a malformed template", "return {\n\tGET = print,\n\tpath = '/{x',\n}",
			":3: malformed template '/{x': a '{' is never closed" },
		{ "a template without a slash", "return { GET = print, path = 'x' }",
			":1: malformed template 'x': it must begin with '/'" },
		{ "a host that is none", "return { GET = print, host = 5 }", ":1: 'host' must be a string, not a number" },
		{ "a malformed host", "return { GET = print, host = 'a b' }",
			":1: malformed host 'a b': a name, or '*.' and a name, is expected" },
		{ "middleware that is none", "return { GET = print, use = 5 }",
			":1: use must be a function or a list of functions" },
		{ "middleware among others that is none", "return { GET = print, use = { print, 5 } }",
			":1: use holds a number, not only functions" },
		{ "limits that are none", "return { GET = print, limits = 5 }", ":1: 'limits' must be a table, not a number" },
		{ "a slip in a limit", "return { GET = print, limits = { bodi = 1 } }",
			":1: unknown limit 'bodi'; did you mean 'body'?" },
		{ "a limit that is none", "return { GET = print, limits = { body = -1 } }",
			":1: limit 'body' must be a number from 0" },
		{ "a limit that is no number", "return { GET = print, limits = { body = 0/0 } }",
			":1: limit 'body' must be a number from 0" },
		{ "a binary chunk", string.dump(function() end), ": attempt to load a binary chunk (mode is 't')" },
		{ "half a binary chunk", "\27Lua", ": attempt to load a binary chunk (mode is 't')" },
		{ "a NUL", "\0return print", ":1: unexpected symbol" },
		{ "only a NUL", "\0", ":1: unexpected symbol" },
		{ "bytes at random", "\xff\xfe\x00\x01", ":1: unexpected symbol near '<\\255>'" },
		{ "only a byte order mark", "\xef\xbb\xbf",
			":1: must return a function or a table of methods, not a nil" },
		{ "lines that end with CR LF", "local x = 1\r\n\r\nreturn {\r\n\tGETT = print,\r\n}\r\n",
			":4: unknown method 'GETT'; did you mean 'GET'?" },
	}
	for _, case in ipairs(broken) do
		it("a handler with " .. case[1], function()
			project:write("handlers/bad.lua", case[2])
			refuses("handlers/bad.lua" .. case[3])
		end)
	end

	it("a module that a handler needs is not there", function()
		project:write("handlers/bad.lua", "\nrequire('tide')")
		refuses("handlers/bad.lua:2: module 'tide' not found: there is no lua/tide.lua or lua/tide/init.lua, "
			.. "and none in /usr/local/share/lua/5.4 or /usr/share/lua/5.4")
	end)

	it("a handler that asks others while it is loaded", function()
		for _, statement in ipairs({ "local _ =", "return" }) do
			project:write("handlers/bad.lua", ("local http = require('tidegate.http')\n\n%s http.get('http://127.0.0.1/')"):format(statement))
			refuses("handlers/bad.lua:3: cannot do this while handlers are loading; use tidegate.on_start")
		end
	end)

	it("a module that a handler needs is broken", function()
		project:write("handlers/bad.lua", "require('tide')")
		project:write("lua/tide.lua", "return 1 +")
		local lines, code = attempt("check", project.path)
		assert.equal(1, code)
		assert.match("lua/tide.lua:1: unexpected symbol near <eof>", table.concat(lines, "\n"), 1, true)
	end)

	local well_formed = {
		{ "a byte order mark", "\xef\xbb\xbfreturn function() return 'fine' end" },
		{ "lines that end with CR LF", "return function()\r\n\treturn 'fine'\r\nend\r\n" },
		{ "lines that end with CR", "return function()\r\treturn 'fine'\rend\r" },
		{ "no line end", "return function() return 'fine' end -- really" },
		{ "a NUL in a comment", "-- \0\nreturn function() return 'fine' end" },
		{ "a long line", "--" .. ("x"):rep(1000000) .. "\nreturn function() return 'fine' end" },
	}
	for _, case in ipairs(well_formed) do
		it("none, a handler with " .. case[1], function()
			project:write("handlers/fine.lua", case[2])
			serves("/fine", "fine")
		end)
	end

	local names = {
		{ "{id.lua", "malformed template '/{id': a '{' is never closed" },
		{ "{}.lua", "malformed template '/{}': " },
		{ "{id:tide}.lua", "malformed template '/{id:tide}': unknown type 'tide'" },
		{ "{id}/{id}.lua", "malformed template '/{id}/{id}': it names 'id' twice" },
		{ "{rest...}/more.lua", "malformed template '/{rest...}/more': " },
	}
	for _, case in ipairs(names) do
		it("a file called " .. case[1], function()
			project:write("handlers/" .. case[1], "return print")
			local lines, code = attempt("check", project.path)
			assert.equal(1, code)
			assert.equal(1, #lines)
			local expected = ("handlers/%s:1: %s"):format(case[1], case[2])
			assert.equal(expected, lines[1]:sub(1, #expected))
		end)
	end

	it("two files for one path", function()
		project:write("handlers/x.lua", "return print")
		project:write("handlers/x/index.lua", "return print")
		local lines, code = attempt("check", project.path)
		assert.same({ 1, 1 }, { code, #lines })
		assert.match("^handlers/x%g*%.lua:1: '/x' is also served by handlers/x%g*%.lua %('/x'%)$", lines[1])
	end)

	it("two parameters at one place", function()
		project:write("handlers/u/{id}.lua", "return print")
		project:write("handlers/u/{name}.lua", "return print")
		refuses("handlers/u/{name}.lua:1: '/u/{name}' is also served by handlers/u/{id}.lua ('/u/{id}')")
	end)

	local guards = {
		{ "return (", ":1: unexpected symbol near <eof>" },
		{ "error('no tide')", ":1: no tide" },
		{ "return 5", ":1: must return a function (or a list of them), not a number" },
		{ "", ":1: must return a function (or a list of them), not a nil" },
		{ "return {}", ":1: it must be a function or a list of functions" },
		{ "return { print, 5 }", ":1: it holds a number, not only functions" },
	}
	for _, case in ipairs(guards) do
		it(("middleware that says %q keeps all from loading"):format(case[1]), function()
			project:write("handlers/private/report.lua", "return print")
			project:write("handlers/private/_middleware.lua", case[1])
			refuses("handlers/private/_middleware.lua" .. case[2])
		end)
	end

	it("middleware that breaks later leaves the guarded routes as they were", function()
		project:write("handlers/private/report.lua", "return function() return 'secret' end")
		project:write("handlers/private/_middleware.lua", "return function() return 403 end")
		local gateway = server.start({ project = project })
		project:write("handlers/private/_middleware.lua", "return function(")
		assert.equal(1, select(3, gateway:reload()))
		assert.equal(403, gateway:get("/private/report").status)
		shell("rm handlers/private/_middleware.lua; mkfifo handlers/private/_middleware.lua")
		assert.equal(1, select(3, gateway:reload()))
		assert.equal(403, gateway:get("/private/report").status)
		gateway:stop()
	end)

	describe("in place of a handler,", function()
		it("a symbolic link to nowhere", function()
			shell("ln -s nowhere handlers/x.lua")
			refuses("cannot read handlers/x.lua: No such file or directory")
		end)

		it("a symbolic link to itself", function()
			shell("ln -s x.lua handlers/x.lua")
			refuses("cannot read handlers/x.lua: Too many levels of symbolic links")
		end)

		it("a FIFO, which does not make it wait", function()
			shell("mkfifo handlers/x.lua")
			refuses("cannot read handlers/x.lua: it is not a regular file")
		end)

		it("a device that never ends", function()
			shell("ln -s /dev/zero handlers/x.lua")
			refuses("cannot read handlers/x.lua: it is not a regular file")
		end)

		it("a folder of that name is a folder", function()
			project:write("handlers/x.lua/fine.lua", "return function() return 'fine' end")
			serves("/x.lua/fine", "fine")
		end)

		it("a file that may not be read", function()
			project:write("handlers/x.lua", "return print")
			shell("chmod 000 handlers/x.lua")
			local file = io.open(project.path .. "/handlers/x.lua")
			if file then
				file:close()
				return pending("the superuser may read everything")
			end
			refuses("cannot read handlers/x.lua: Permission denied")
		end)
	end)

	it("a folder that holds itself", function()
		shell("ln -s . handlers/loop; ln -s . handlers/pool")
		local lines, code = attempt("check", project.path)
		assert.same({ 1, 1 }, { code, #lines })
		assert.match("^cannot read the folder handlers/[lop/]+: too deep$", lines[1])
	end)

	it("files that are none of ours are left alone", function()
		shell("mkfifo handlers/notes.txt handlers/.hidden.lua; ln -s nowhere handlers/.#good.lua")
		project:write("handlers/.git/x.lua", "oops")
		serves("/good", "good")
	end)

	it("folders", function()
		local missing = ("there is no folder %s/handlers: make it, and put a file such as hello.lua in it"):format(
			project.path)
		local cases = {
			["rm -r handlers"] = missing,
			["touch handlers"] = "cannot read the folder handlers: Not a directory",
			["rm handlers; ln -s nowhere handlers"] = missing,
		}
		for _, command in ipairs({ "rm -r handlers", "touch handlers", "rm handlers; ln -s nowhere handlers" }) do
			shell(command)
			refuses(cases[command])
		end
		shell("rm handlers; mkdir handlers; touch lua")
		refuses("cannot read the folder lua: Not a directory")
	end)

	it("a project that is not there, or no folder", function()
		project:write("file", "")
		for _, name in ipairs({ "none", "file" }) do
			local path = project.path .. "/" .. name
			for _, command in ipairs({ "serve", "check", "routes", "reload", "stop" }) do
				assert.same({ { ("tidegate: there is no folder '%s'"):format(path) }, 1 }, { attempt(command, path) })
			end
		end
	end)

	describe("listeners:", function()
		local malformed = {
			"nonsense", "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536",
			"127.0.0.1:99999999999", "127.0.0.1:+80", "127.0.0.1: 80", "256.0.0.1:0", "[::1:0", "http://127.0.0.1:0",
		}
		for _, address in ipairs(malformed) do
			it(("'%s' is no address"):format(address), function()
				assert.same(
					{ { ("tidegate: cannot listen on '%s': it is not ADDRESS:PORT, [ADDRESS]:PORT, :PORT or unix:PATH")
						:format(address) }, 1 },
					{ attempt("serve", project.path, "--listen", address) })
			end)
		end

		it("an address that is in use", function()
			local other = assert(socket.bind("127.0.0.1", 0))
			local _, port = other:getsockname()
			for _, threads in ipairs({ 1, 3 }) do
				assert.same({ { ("tidegate: cannot listen on 127.0.0.1:%d: Address already in use"):format(port) }, 1 },
					{ attempt("serve", project.path, "--listen", "127.0.0.1:" .. port, "--threads", threads) })
			end
			other:close()
		end)

		it("an address that another gateway has", function()
			local gateway = server.start({ project = project, threads = 2 })
			local address = "127.0.0.1:" .. gateway.port
			assert.same({ { ("tidegate: cannot listen on %s: Address already in use"):format(address) }, 1 },
				{ attempt("serve", project.path, "--listen", address, "--pid-file", project.path .. "/other.pid") })
			assert.equal("good", gateway:get("/good").body)
			gateway:stop()
		end)

		it("one address twice", function()
			local path = project.path .. "/x.sock"
			local lines, code = attempt("serve", project.path, "--listen", "unix:" .. path, "--listen", "unix:" .. path)
			assert.same({ { ("tidegate: cannot listen on unix:%s: Address already in use"):format(path) }, 1 },
				{ lines, code })
			assert.is_nil((io.open(path)))
		end)

		it("an address of somebody else", function()
			assert.same({ { "tidegate: cannot listen on 192.0.2.1:8080: Cannot assign requested address" }, 1 },
				{ attempt("serve", project.path, "--listen", "192.0.2.1:8080") })
		end)

		it("unix sockets", function()
			local long = "/tmp/" .. ("x"):rep(200)
			for address, why in pairs({
				["unix:"] = "the path must have 1 to 107 bytes",
				["unix:" .. long] = "the path must have 1 to 107 bytes",
				["unix:/nowhere/at/all"] = "No such file or directory",
				["unix:/proc/x"] = "No such file or directory",
				["unix:" .. project.path] = "Address already in use",
			}) do
				assert.same({ { ("tidegate: cannot listen on %s: %s"):format(address, why) }, 1 },
					{ attempt("serve", project.path, "--listen", address) })
			end
		end)
	end)

	it("a place for the pid file", function()
		project:write("file", "")
		local function refused(path, sentence)
			assert.same({ { "tidegate: " .. sentence }, 1 },
				{ attempt("serve", project.path, "--listen", "127.0.0.1:0", "--pid-file", path) })
		end
		for path, why in pairs({
			["/proc/x"] = "No such file or directory",
			["/nowhere/at/all.pid"] = "No such file or directory",
			[project.path] = "Is a directory",
			[project.path .. "/file/x.pid"] = "Not a directory",
		}) do
			refused(path, ("cannot write the pid file %s: %s"):format(path, why))
		end
		local long = ("%s/%s"):format(project.path, ("x"):rep(120))
		refused(long .. ".pid",
			("the path of the control socket is too long (%s.sock); give a shorter --pid-file"):format(long))
		assert.is_nil((io.open(long .. ".pid")))
	end)

	it("a place for the access log", function()
		for path, why in pairs({
			["/proc/x"] = "No such file or directory",
			["/nowhere/at/all.log"] = "No such file or directory",
			[project.path] = "Is a directory",
		}) do
			assert.same({ { ("tidegate: cannot write the access log %s: %s"):format(path, why) }, 1 },
				{ attempt("serve", project.path, "--listen", "127.0.0.1:0", "--access-log", path) })
		end
		assert.is_nil((io.open(project.path .. "/.tidegate.pid")))
	end)

	it("what comes to a reload changes nothing, ten times over", function()
		local gateway = server.start({ project = project, threads = 2 })
		local connection = gateway:connect()
		local ways = {
			"echo 'return (' >handlers/bad.lua", "mkfifo handlers/bad.lua", "ln -s nowhere handlers/bad.lua",
			"mkdir handlers/bad.lua; echo oops >handlers/bad.lua/x.lua", "mkfifo tidegate.lua", "mkdir tidegate.lua",
			"touch lua", "mv handlers elsewhere", "mv handlers elsewhere; touch handlers", "ln -s . handlers/loop",
		}
		for _, way in ipairs(ways) do
			shell(way)
			local output, errors, code = gateway:reload()
			assert.same({ "", 1 }, { output, code }, way)
			assert.match("%a", errors)
			assert.equal("good", connection:fetch("GET", "/good").body)
			shell("rm -rf handlers/bad.lua handlers/loop tidegate.lua lua")
			shell("if [ -d elsewhere ]; then rm -f handlers; mv elsewhere handlers; fi")
		end
		connection:close()
		assert.match("^generation 2 serves", (gateway:reload()))
		gateway:stop()
	end)

	it("what comes to a control socket does not stop the gateway", function()
		local gateway = server.start({ project = project })
		for _, text in ipairs({ "\0\n", "\0", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ("x"):rep(100000) }) do
			local connection = client.connect(project.path .. "/.tidegate.sock")
			pcall(connection.send, connection, text)
			connection:close()
		end
		assert.equal("good", gateway:get("/good").body)
		assert.equal(0, select(3, gateway:reload()))
		gateway:stop()
	end)
end)
