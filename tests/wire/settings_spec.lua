local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local hello = "return function() return 'hi' end"

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

describe("tidegate.lua", function()
	local project, gateway

	before_each(function()
		project = projects.new({ ["handlers/hello.lua"] = hello })
	end)

	after_each(function()
		project:delete()
	end)

	-- Serves with these settings; returns the port.
	local function serve(settings, ...)
		if settings then
			project:write("tidegate.lua", settings)
		end
		gateway = program.start({ "serve", project.path, ... })
		program.await(function() return "a listener:\n" .. gateway:log() end, function()
			return gateway:log():find("listening on [^\n]+\n[^\n]+\n")
				or not os.execute(("kill -0 %d 2>/dev/null"):format(gateway.pid))
		end)
		return tonumber(gateway:log():match("listening on http://127%.0%.0%.1:(%d+)\n"))
	end

	local function get(where, target)
		local connection = client.connect(where)
		local response = connection:fetch("GET", target)
		connection:close()
		return response
	end

	local function stop()
		gateway:signal("TERM")
		assert.equal(0, gateway:wait(), gateway.last_log)
		assert.not_match("Sanitizer", gateway.last_log)
		return gateway.last_log
	end

	local function check(...)
		return program.run("check", project.path, ...)
	end

	it("says where to listen: one address", function()
		assert.equal("hi", get(serve("return { listen = '127.0.0.1:0' }"), "/hello").body)
		stop()
	end)

	it("says where to listen: several", function()
		local path = project.path .. "/http.sock"
		local port = serve(("return { listen = { '127.0.0.1:0', 'unix:%s' } }"):format(path))
		assert.equal("hi", get(port, "/hello").body)
		assert.equal("hi", get(path, "/hello").body)
		stop()
	end)

	it("is overridden by flags: all addresses of the file go", function()
		serve("return { listen = { 'nonsense', '127.0.0.1:1' } }", "--listen", "127.0.0.1:0")
		assert.match("^listening on http://127%.0%.0%.1:%d+\nANY", gateway:log())
		stop()
	end)

	local shows_threads = "return function() return tostring(require('tidegate').threads) end"

	it("says how many threads there are", function()
		project:write("handlers/threads.lua", shows_threads)
		local port = serve("return { listen = '127.0.0.1:0', threads = 3 }")
		assert.equal("3", get(port, "/threads").body)
		stop()
	end)

	it("is overridden by --threads", function()
		project:write("handlers/threads.lua", shows_threads)
		local port = serve("return { listen = '127.0.0.1:0', threads = 3 }", "--threads", "2")
		assert.equal("2", get(port, "/threads").body)
		stop()
	end)

	it("is not needed: then there is a thread for each core", function()
		project:write("handlers/threads.lua", shows_threads)
		local pipe = io.popen("nproc --all")
		local cores = pipe:read("l")
		pipe:close()
		assert.equal(cores, get(serve(nil, "--listen", "127.0.0.1:0"), "/threads").body)
		stop()
	end)

	it("says which folder holds the handlers", function()
		project:write("web/other.lua", "return function() return 'other' end")
		local port = serve("return { listen = '127.0.0.1:0', handlers = 'web' }")
		assert.equal("other", get(port, "/other").body)
		assert.equal(404, get(port, "/hello").status)
		stop()
	end)

	it("says where the process number goes", function()
		local pid_file = project.path .. "/there.pid"
		local port = serve(("return { listen = '127.0.0.1:0', pid_file = '%s' }"):format(pid_file))
		assert.equal("hi", get(port, "/hello").body)
		assert.equal(gateway.pid .. "\n", read(pid_file))
		assert.same({ "stopping\n", "", 0 }, { program.run("stop", project.path) })
		assert.equal(0, gateway:wait())
	end)

	local logs = [[
local log = require("tidegate.log")
return function()
	log.debug("at debug") log.info("at info") log.warn("at warn") log.error("at error")
end]]

	for level, shown in pairs({
		debug = { "debug", "info", "warn", "error" },
		info = { "info", "warn", "error" },
		warn = { "warn", "error" },
		error = { "error" },
		off = {},
	}) do
		it("says what is logged: " .. level, function()
			project:write("handlers/log.lua", logs)
			local port = serve(("return { listen = '127.0.0.1:0', log_level = '%s' }"):format(level))
			assert.equal(204, get(port, "/log").status)
			local seen = {}
			for name in stop():gmatch('"msg":"at (%a+)"') do
				seen[#seen + 1] = name
			end
			assert.same(shown, seen)
		end)
	end

	it("says in which form, and a flag overrides it", function()
		serve("return { listen = '127.0.0.1:0', log_format = 'text' }")
		assert.match("\n%d%d:%d%d:%d%d%.%d%d%d info  stopped tasks=0 exchanges=0", stop())
		serve(nil, "--log-format", "json")
		assert.match('\n{"time":"[^"]*","level":"info","msg":"stopped","tasks":0,', stop())
		serve("return { listen = '127.0.0.1:0', log_format = 'json' }", "--log-format", "auto")
		assert.match('\n{"time":"', stop())
	end)

	it("says where requests are logged, and a flag overrides it", function()
		local path = project.path .. "/access.log"
		get(serve(("return { listen = '127.0.0.1:0', access_log = '%s' }"):format(path)), "/hello")
		stop()
		assert.match('"target":"/hello"', read(path))
		os.remove(path)
		get(serve(nil, "--access-log", "off"), "/hello")
		stop()
		assert.is_nil(io.open(path))
	end)

	it("names libevent's backend, and a flag overrides it", function()
		serve("return { listen = '127.0.0.1:0', event_backend = 'pigeon' }")
		assert.equal(1, gateway:wait())
		assert.match("^tidegate: libevent has no backend 'pigeon' here", gateway.last_log)
		assert.equal("hi", get(serve(nil, "--event-backend", "poll"), "/hello").body)
		stop()
	end)

	it("turns on libevent's debug mode", function()
		local port = serve("return { listen = '127.0.0.1:0', debug_events = true }")
		assert.equal("hi", get(port, "/hello").body)
		stop()
	end)

	it("limits how long a stop takes, and a flag overrides it", function()
		project:write("handlers/wait.lua", "return function(request) return request:text() end")
		local function hang(...)
			local connection = client.connect(serve(...))
			connection:ask("POST", "/wait", { "Content-Length: 5", "Expect: 100-continue" })
			assert.equal(100, connection:response().status)
			gateway:signal("TERM")
			assert.is_true(connection:is_closed())
			assert.equal(0, gateway:wait())
		end
		hang("return { listen = '127.0.0.1:0', shutdown_timeout = 0.1 }")
		hang("return { listen = '127.0.0.1:0', shutdown_timeout = 1000 }", "--shutdown-timeout", "0")
	end)

	it("limits how long on_start takes", function()
		project:write("handlers/hello.lua", [[
local timer = require("tidegate.timer")
require("tidegate").on_start(function() timer.sleep(1000) end)
return print]])
		serve("return { listen = '127.0.0.1:0', start_timeout = 1 }")
		assert.equal(1, gateway:wait())
		assert.match("on_start", gateway.last_log)
		assert.not_match("listening", gateway.last_log)
	end)

	it("limits how long replaced code goes on", function()
		project:write("handlers/wait.lua", "return function(request) return request:text() end")
		local port = serve("return { listen = '127.0.0.1:0', drain_timeout = 0.1, threads = 1 }")
		local connection = client.connect(port)
		connection:ask("POST", "/wait", { "Content-Length: 5", "Expect: 100-continue" })
		assert.equal(100, connection:response().status)
		assert.equal(0, select(3, program.run("reload", project.path)))
		gateway:wait_log("generation 1 was replaced 0%.1 s ago: 1 of its tasks on thread 1 are cancelled")
		connection:close()
		stop()
	end)

	it("holds a table of your own, which a reload replaces", function()
		project:write("handlers/app.lua",
			"local config = require('tidegate').config return function() return config.app.greeting end")
		local port = serve("return { listen = '127.0.0.1:0', app = { greeting = 'moin' } }")
		assert.equal("moin", get(port, "/app").body)
		project:write("tidegate.lua", "return { app = { greeting = 'ahoi' } }")
		assert.equal(0, select(3, program.run("reload", project.path)))
		assert.equal("ahoi", get(port, "/app").body)
		stop()
	end)

	local function no_web()
		return ("there is no folder %s/web: make it, and put a file such as hello.lua in it\n"):format(project.path)
	end

	it("may be another file, which must exist", function()
		project:write("other.lua", "return { handlers = 'web' }")
		assert.same({ "", no_web(), 1 },
			{ check("--config", "other.lua") })
		assert.same({ "", no_web(), 1 },
			{ check("--config", project.path .. "/other.lua") })
		assert.same({ "", "tidegate: cannot read none.lua: No such file or directory\n", 1 },
			{ check("--config", "none.lua") })
	end)

	it("may begin with a byte order mark and end lines with CR LF", function()
		project:write("tidegate.lua", "\xef\xbb\xbfreturn {\r\n\thandlers = 'web',\r\n}\r\n")
		assert.same({ "", no_web(), 1 }, { check() })
	end)

	local trustees = "addresses, networks such as '10.0.0.0/8', 'loopback', 'private' or 'unix'"
	local proxy_headers = "'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', or a list of these; "
		.. "or 'forwarded'; or 'none'"

	local refused = {
		{ "a syntax error", "return {\n\tthreads = ,\n}", ":2: unexpected symbol near ','" },
		{ "an error", "local x\nreturn { threads = x.y }", ":2: attempt to index a nil value (local 'x')" },
		{ "an error of no place", "error('no tide', 0)", ": no tide" },
		{ "a binary chunk", string.dump(function() return {} end),
			": attempt to load a binary chunk (mode is 't')" },
		{ "a number in place of a table", "return 5", ":1: must return a table of settings, not a number" },
		{ "no table", "", ":1: must return a table of settings, not a nil" },
		{ "os.exit", "os.exit(0)", ":1: attempt to call a nil value (field 'exit')" },
		{ "an unknown key", "return {\n\tthreads = 1,\n\tlisen = 'x',\n}",
			":3: unknown setting 'lisen'; did you mean 'listen'?" },
		{ "a strange key", "return { whatever = 1 }", ":1: unknown setting 'whatever'" },
		{ "a list", "return { 'x' }", ":1: unknown setting '1'" },
		{ "a flag's name", "return { ['pid-file'] = 'x' }", ":1: unknown setting 'pid-file'; did you mean 'pid_file'?" },
		{ "listen", "return { listen = 8080 }", ":1: 'listen' must be 'ADDRESS:PORT', 'unix:PATH' or a list of them" },
		{ "an empty list", "return { listen = {} }",
			":1: 'listen' must be 'ADDRESS:PORT', 'unix:PATH' or a list of them" },
		{ "a list of numbers", "return { listen = { '127.0.0.1:0', 1 } }",
			":1: 'listen' must be 'ADDRESS:PORT', 'unix:PATH' or a list of them" },
		{ "too long a list", "local t = {} for i = 1, 33 do t[i] = ':0' end\nreturn { listen = t }",
			":2: 'listen' must be 'ADDRESS:PORT', 'unix:PATH' or a list of them" },
		{ "handlers", "return { handlers = '' }", ":1: 'handlers' must be a folder" },
		{ "threads", "return {\n\n\tthreads = '4' }", ":3: 'threads' must be an integer from 1 to 1024" },
		{ "no threads", "return { threads = 0 }", ":1: 'threads' must be an integer from 1 to 1024" },
		{ "half a thread", "return { threads = 1.5 }", ":1: 'threads' must be an integer from 1 to 1024" },
		{ "many threads", "return { threads = 1025 }", ":1: 'threads' must be an integer from 1 to 1024" },
		{ "pid_file", "return { pid_file = 1 }", ":1: 'pid_file' must be a file" },
		{ "log_level", "return { log_level = 'loud' }",
			":1: 'log_level' must be 'debug', 'info', 'warn', 'error' or 'off'" },
		{ "log_format", "return { log_format = 'xml' }", ":1: 'log_format' must be 'auto', 'text' or 'json'" },
		{ "access_log", "return { access_log = true }", ":1: 'access_log' must be a file, '-' or 'off'" },
		{ "event_backend", "return { event_backend = 1 }", ":1: 'event_backend' must be the name of a libevent backend" },
		{ "debug_events", "return { debug_events = 1 }", ":1: 'debug_events' must be true or false" },
		{ "trusted_proxies", "return {\n\ttrusted_proxies = { 'loopback', '10.0.0.1/8' } }",
			":2: 'trusted_proxies' must be " .. trustees .. ", not '10.0.0.1/8'" },
		{ "a trusted proxy's name", "return { trusted_proxies = 'proxy.example' }",
			":1: 'trusted_proxies' must be " .. trustees .. ", not 'proxy.example'" },
		{ "a trusted number", "return { trusted_proxies = { 10 } }", ":1: 'trusted_proxies' must be " .. trustees },
		{ "trusted options", "return { trusted_proxies = { unix = true } }",
			":1: 'trusted_proxies' must be " .. trustees },
		{ "too many proxies", "local t = {} for i = 1, 65 do t[i] = '::1' end\nreturn { trusted_proxies = t }",
			":2: 'trusted_proxies' must be " .. trustees },
		{ "proxy_headers", "return { proxy_headers = { 'x-forwarded-for', 'x-real-ip' } }",
			":1: 'proxy_headers' must be " .. proxy_headers .. ", not 'x-real-ip'" },
		{ "proxy_headers of two kinds", "return { proxy_headers = { 'x-forwarded-for', 'forwarded' } }",
			":1: 'proxy_headers' must be " .. proxy_headers .. ", not 'forwarded'" },
		{ "dns_servers", "return { dns_servers = { '127.0.0.1:5353', 'dns.example' } }",
			":1: 'dns_servers' must be addresses such as '192.0.2.53' or '127.0.0.1:5353', not 'dns.example'" },
		{ "request_id_header", "return { request_id_header = 'x-request-id:' }",
			":1: 'request_id_header' must be the name of a header field" },
		{ "shutdown_timeout", "return { shutdown_timeout = -1 }", ":1: 'shutdown_timeout' must be seconds" },
		{ "drain_timeout", "return { drain_timeout = 0/0 }", ":1: 'drain_timeout' must be seconds" },
		{ "start_timeout", "return { start_timeout = '1' }", ":1: 'start_timeout' must be seconds" },
		{ "zero bytes in a file", "return { pid_file = 'x.pid\\0y' }", ":1: 'pid_file' must be a file" },
		{ "zero bytes in an address", "return { listen = 'unix:x\\0y' }",
			":1: 'listen' must be 'ADDRESS:PORT', 'unix:PATH' or a list of them" },
		{ "zero bytes in a proxy", "return { trusted_proxies = { '::1', '10.0.0.1\\0/8' } }",
			":1: 'trusted_proxies' must be " .. trustees .. ", not '10.0.0.1\\0/8'" },
		{ "app", "return { app = 1 }", ":1: 'app' must be a table of your own" },
	}
	for _, case in ipairs(refused) do
		it("is refused with file and line: " .. case[1], function()
			project:write("tidegate.lua", case[2])
			local expected = { "", "tidegate: tidegate.lua" .. case[3] .. "\n", 1 }
			assert.same(expected, { check() })
			assert.same(expected, { program.run("serve", project.path, "--listen", "127.0.0.1:0") })
			os.rename(project.path .. "/tidegate.lua", project.path .. "/other.lua")
			expected[2] = "tidegate: other.lua" .. case[3] .. "\n"
			assert.same(expected, { check("--config", "other.lua") })
		end)
	end

	it("must be a file", function()
		local path = projects.quote(project.path .. "/tidegate.lua")
		for command, why in pairs({
			["mkdir " .. path] = "Is a directory",
			["mkfifo " .. path] = "it is not a regular file",
			["ln -s tidegate.lua " .. path] = "Too many levels of symbolic links",
		}) do
			os.execute("rm -rf " .. path .. "; " .. command)
			local attempt = program.start({ "check", project.path }, "timeout 60")
			assert.equal(1, attempt:wait())
			assert.equal(("tidegate: cannot read tidegate.lua: %s\n"):format(why), attempt.last_log)
		end
	end)

	it("keeps a reload from happening when it is broken", function()
		local port = serve("return { listen = '127.0.0.1:0' }")
		project:write("handlers/hello.lua", "return function() return 'new' end")
		project:write("tidegate.lua", "return { lisen = 1 }")
		project:write("valid.lua", "return {}")
		local _, errors, code = program.run("reload", project.path, "--config", "valid.lua")
		assert.equal(1, code)
		assert.match("tidegate.lua:1: unknown setting 'lisen'; did you mean 'listen'?", errors, 1, true)
		assert.equal("hi", get(port, "/hello").body)
		stop()
	end)
end)

describe("paths in tidegate.lua", function()
	it("are below the project's folder, wherever the program was started", function()
		local gateway = server.start({
			files = {
				["handlers/a.lua"] = "return function() return 'a' end",
				["tidegate.lua"] = "return { pid_file = 'run.pid', access_log = 'a.log', listen = { 'unix:s' } }",
			},
			listen = {},
		})
		local connection = gateway:connect(gateway.project.path .. "/s")
		assert.equal("a", connection:fetch("GET", "/a").body)
		connection:close()
		assert.is_truthy(io.open(gateway.project.path .. "/run.pid"))
		assert.is_truthy(io.open(gateway.project.path .. "/a.log"))
		gateway:stop()
	end)
end)
