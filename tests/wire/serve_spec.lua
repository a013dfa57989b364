local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local hello = { ["handlers/hello.lua"] = "return function() return 'hi' end" }

-- A request is in flight here until its body has come.
local waits = { ["handlers/wait.lua"] = "return function(request) return request:text() end" }

-- Begins such a request; it waits for 5 more bytes.
local function begin(gateway)
	local connection = gateway:connect()
	connection:ask("POST", "/wait", { "Content-Length: 5", "Expect: 100-continue" })
	assert.equal(100, connection:response().status)
	return connection
end

-- A connection without a request; its end tells that a stop has begun.
local function idle(gateway, target)
	local connection = gateway:connect()
	assert.is_number(connection:fetch("GET", target or "/nothing").status)
	return connection
end

local function await_end(gateway)
	program.await("its end", function()
		return not os.execute(("kill -0 %d 2>/dev/null"):format(gateway.pid))
	end)
end

local function output_of(line)
	local pipe = assert(io.popen(line))
	local text = pipe:read("a")
	pipe:close()
	return text
end

local function mode_of(path)
	return output_of("stat -c '%F %a' " .. projects.quote(path) .. " 2>/dev/null"):gsub("\n$", "")
end

local function exists(path)
	return mode_of(path) ~= ""
end

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

describe("a start", function()
	it("serves, and stops leaving nothing behind", function()
		local gateway = server.start({ files = hello })
		local response = gateway:get("/hello")
		assert.equal(200, response.status)
		assert.equal("hi", response.body)
		gateway:stop()
	end)

	it("prints a line for each listener, then the table of routes", function()
		local gateway = server.start({
			files = {
				["handlers/hello.lua"] = hello["handlers/hello.lua"],
				["handlers/in/_middleware.lua"] = "return function(_, _, next) return next() end",
				["handlers/in/{id}.lua"] = "return { GET = print, PUT = print }",
			},
			listen = { "127.0.0.1:0", "127.0.0.1:0" },
		})
		gateway:wait_log("_middleware.lua\n")
		local first, second, routes = gateway:log():match(
			"^listening on http://127%.0%.0%.1:(%d+)\nlistening on http://127%.0%.0%.1:(%d+)\n(.*)$")
		assert.not_equal(first, second)
		assert.equal(
			"ANY      /hello    handlers/hello.lua\n"
				.. "GET PUT  /in/{id}  handlers/in/{id}.lua  handlers/in/_middleware.lua\n", routes)
		for _, port in ipairs({ first, second }) do
			local connection = client.connect(tonumber(port))
			assert.equal("hi", connection:fetch("GET", "/hello").body)
			connection:close()
		end
		gateway:stop()
	end)

	it("serves over IPv6", function()
		local gateway = server.start({ files = hello, listen = { "[::1]:0" } })
		local port = gateway:wait_log("listening on http://%[::1%]:(%d+)\n")
		local pipe = assert(io.popen(("curl -s --max-time 60 'http://[::1]:%d/hello'"):format(port)))
		assert.equal("hi", pipe:read("a"))
		pipe:close()
		gateway:stop()
	end)

	it("takes every address without a host", function()
		local gateway = server.start({ files = hello, listen = { ":0" } })
		local port = gateway:wait_log("listening on http://0%.0%.0%.0:(%d+)\n")
		local connection = client.connect({ "127.0.0.2", tonumber(port) })
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		gateway:stop()
	end)

	it("serves on all its threads #threads", function()
		local gateway = server.start({
			files = {
				["handlers/thread.lua"] = [[
local tidegate = require("tidegate")
return function() return tidegate.thread .. " of " .. tidegate.threads end]],
			},
			threads = 3,
		})
		local seen, count = {}, 0
		program.await("all threads", function()
			local body = gateway:get("/thread").body
			if not seen[body] then
				seen[body], count = true, count + 1
			end
			return count == 3
		end)
		assert.same({ ["1 of 3"] = true, ["2 of 3"] = true, ["3 of 3"] = true }, seen)
		gateway:stop()
	end)
end)

describe("a unix socket", function()
	local project, path

	before_each(function()
		project = projects.new(hello)
		path = project.path .. "/http.sock"
	end)

	after_each(function()
		project:delete()
	end)

	local function start()
		return server.start({ project = project, listen = { "unix:" .. path } })
	end

	it("serves, and is removed at the end", function()
		local gateway = start()
		gateway:wait_log("listening on unix:(%g+)\n")
		local connection = client.connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		gateway:stop()
		assert.is_false(exists(path))
	end)

	it("serves from all threads #threads", function()
		local gateway = server.start({ project = project, listen = { "unix:" .. path }, threads = 3 })
		for _ = 1, 20 do
			local connection = client.connect(path)
			assert.equal("hi", connection:fetch("GET", "/hello").body)
			connection:close()
		end
		gateway:stop()
	end)

	it("replaces one that a crash has left behind", function()
		local gateway = start()
		gateway:signal("KILL")
		assert.equal(137, gateway:wait())
		assert.is_true(exists(path))
		gateway = start()
		local connection = client.connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		gateway:stop()
	end)

	it("is refused while somebody listens there", function()
		local gateway = start()
		local _, errors, code = program.run("serve", project.path, "--listen", "unix:" .. path,
			"--pid-file", project.path .. "/other.pid")
		assert.equal(1, code)
		assert.equal(("tidegate: cannot listen on unix:%s: Address already in use\n"):format(path), errors)
		assert.is_false(exists(project.path .. "/other.pid"))
		local connection = client.connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		gateway:stop()
	end)

	it("is removed when a later listener is refused", function()
		local _, _, code = program.run("serve", project.path, "--listen", "unix:" .. path, "--listen", "nonsense")
		assert.equal(1, code)
		assert.is_false(exists(path))
	end)

	it("takes the place of nothing but a socket", function()
		project:write("http.sock", "precious")
		local _, errors, code = program.run("serve", project.path, "--listen", "unix:" .. path)
		assert.equal(1, code)
		assert.equal(("tidegate: cannot listen on unix:%s: Address already in use\n"):format(path), errors)
		assert.equal("precious", read(path))
	end)
end)

describe("libevent", function()
	for _, backend in ipairs({ "epoll", "poll", "select" }) do
		it("works with " .. backend, function()
			local gateway = server.start({ files = hello, flags = { "--event-backend", backend }, threads = 2 })
			assert.equal("hi", gateway:get("/hello").body)
			local descriptors = output_of(("ls -l /proc/%d/fd"):format(gateway:worker()))
			assert.equal(backend == "epoll", descriptors:find("[eventpoll]", 1, true) ~= nil)
			gateway:stop()
		end)
	end

	it("says which backends there are when one is unknown", function()
		local project = projects.new(hello)
		local _, errors, code = program.run("serve", project.path, "--event-backend", "carrier-pigeon",
			"--listen", "127.0.0.1:0")
		project:delete()
		assert.equal(1, code)
		assert.equal("tidegate: libevent has no backend 'carrier-pigeon' here (`tidegate version` names those it has)",
			errors:match("^[^\n]*"))
	end)

	it("serves in its debug mode", function()
		local gateway = server.start({ files = hello, flags = { "--debug-events" } })
		local connection = gateway:connect()
		for _ = 1, 10 do
			assert.equal("hi", connection:fetch("GET", "/hello").body)
		end
		connection:close()
		assert.not_match("%[err%]", gateway:stop())
	end)
end)

describe("a stop", function()
	for _, signal in ipairs({ "TERM", "INT" }) do
		it(("by %s closes what is idle and finishes what is in flight"):format(signal), function()
			local gateway = server.start({ files = waits })
			local busy, quiet = begin(gateway), idle(gateway)
			gateway:signal(signal)
			assert.is_true(quiet:is_closed())
			assert.has_error(function() gateway:connect() end)
			assert.is_true(busy:is_silent())
			local response = busy:send("hello"):response()
			assert.equal(200, response.status)
			assert.equal("hello", response.body)
			assert.equal("close", response.headers.connection)
			assert.is_true(busy:is_closed())
			gateway:ended()
		end)
	end

	it("finishes what is in flight on every thread #threads", function()
		local gateway = server.start({ files = waits, threads = 3 })
		local busy = {}
		for i = 1, 12 do
			busy[i] = begin(gateway)
		end
		local quiet = idle(gateway)
		gateway:signal("TERM")
		assert.is_true(quiet:is_closed())
		for _, connection in ipairs(busy) do
			assert.equal("hello", connection:send("hello"):response().body)
		end
		gateway:ended()
	end)

	it("closes a connection that has sent nothing yet", function()
		local gateway = server.start({ files = hello })
		local silent = gateway:connect()
		gateway:get("/hello") -- the silent one has been accepted before this
		gateway:signal("TERM")
		assert.is_true(silent:is_closed())
		gateway:ended()
	end)

	for _, second in ipairs({ "TERM", "INT" }) do
		it(("ends at once at a second signal, %s"):format(second), function()
			local gateway = server.start({ files = waits, flags = { "--shutdown-timeout", "1000" } })
			local busy, quiet = begin(gateway), idle(gateway)
			gateway:signal("TERM")
			assert.is_true(quiet:is_closed())
			assert.is_true(busy:is_silent())
			gateway:signal(second)
			assert.is_true(busy:is_closed())
			await_end(gateway)
			gateway:ended()
		end)
	end

	it("cuts off what is in flight after shutdown_timeout", function()
		local gateway = server.start({ files = waits, flags = { "--shutdown-timeout", "0.2" } })
		local busy = begin(gateway)
		gateway:signal("TERM")
		assert.is_true(busy:is_closed())
		await_end(gateway)
		gateway:ended()
	end)

	it("cuts off handlers that wait for a timer", function()
		local gateway = server.start({
			files = {
				["handlers/sleep.lua"] = [[
local timer = require("tidegate.timer")
return function(_, response)
	response:write("asleep")
	timer.sleep(1000)
end]],
			},
			flags = { "--shutdown-timeout", "0" },
		})
		local busy = gateway:connect():ask("GET", "/sleep")
		assert.equal(200, busy:head().status)
		assert.equal("asleep", busy:chunk())
		gateway:signal("TERM")
		assert.is_true(busy:is_closed())
		await_end(gateway)
		gateway:ended()
	end)

	it("by command waits for the end", function()
		local gateway = server.start({ files = hello })
		local output, errors, code = program.run("stop", gateway.project.path)
		assert.same({ "stopping\n", "", 0 }, { output, errors, code })
		assert.is_false(exists(gateway.project.path .. "/.tidegate.pid"))
		gateway:ended()
	end)

	it("by command says when the gateway goes on longer than it should", function()
		local gateway = server.start({ files = waits, flags = { "--shutdown-timeout", "1000" } })
		local busy, quiet = begin(gateway), idle(gateway)
		gateway.project:write("tidegate.lua", "return { shutdown_timeout = 0 }")
		local stopping = program.start({ "stop", gateway.project.path })
		assert.is_true(quiet:is_closed())
		assert.equal(1, stopping:wait())
		assert.match("tidegate: it has not ended yet\n", stopping.last_log)
		assert.equal("hello", busy:send("hello"):response().body)
		gateway:ended()
	end)
end)

describe("the pid file", function()
	it("holds the process number, beside the control socket, and both are removed", function()
		local gateway = server.start({ files = hello })
		local path = gateway.project.path
		assert.equal(gateway.pid .. "\n", read(path .. "/.tidegate.pid"))
		assert.equal("socket 600", mode_of(path .. "/.tidegate.sock"))
		gateway.keep_project = true
		gateway:stop()
		assert.is_false(exists(path .. "/.tidegate.pid"))
		assert.is_false(exists(path .. "/.tidegate.sock"))
		gateway.project:delete()
	end)

	it("may be elsewhere", function()
		local project = projects.new(hello)
		local pid_file = project.path .. "/elsewhere.pid"
		local gateway = server.start({ project = project, flags = { "--pid-file", pid_file } })
		assert.equal(gateway.pid .. "\n", read(pid_file))
		assert.equal("socket 600", mode_of(project.path .. "/elsewhere.sock"))
		assert.is_false(exists(project.path .. "/.tidegate.pid"))
		local output, errors, code = program.run("stop", "--pid-file", pid_file, project.path)
		assert.same({ "stopping\n", "", 0 }, { output, errors, code })
		gateway:ended()
		assert.is_false(exists(pid_file))
		project:delete()
	end)

	it("keeps a second gateway out, which takes nothing away", function()
		local gateway = server.start({ files = hello })
		local path = gateway.project.path
		local output, errors, code = program.run("serve", path, "--listen", "127.0.0.1:0")
		assert.same({ "", 1 }, { output, code })
		assert.equal(("tidegate: a gateway (process %d) uses the pid file %s/.tidegate.pid already; "
			.. "stop it, or give another --pid-file\n"):format(gateway.pid, path), errors)
		assert.equal(gateway.pid .. "\n", read(path .. "/.tidegate.pid"))
		assert.equal("hi", gateway:get("/hello").body)
		gateway:replace({ ["handlers/hello.lua"] = "return function() return 'new' end" })
		assert.equal("new", gateway:get("/hello").body)
		gateway:stop()
	end)

	it("is in nobody's way after a crash", function()
		local project = projects.new(hello)
		local gateway = server.start({ project = project })
		gateway:signal("KILL")
		assert.equal(137, gateway:wait())
		assert.is_true(exists(project.path .. "/.tidegate.pid"))
		local _, errors, code = program.run("reload", project.path)
		assert.equal(1, code)
		assert.equal(("tidegate: no gateway answers at %s/.tidegate.sock: Connection refused\n"):format(project.path),
			errors)
		gateway = server.start({ project = project })
		assert.equal(gateway.pid .. "\n", read(project.path .. "/.tidegate.pid"))
		gateway:stop()
		project:delete()
	end)
end)

describe("the control socket", function()
	local gateway

	before_each(function()
		gateway = server.start({ files = hello })
	end)

	after_each(function()
		gateway:stop()
	end)

	local function say(...)
		local connection = client.connect(gateway.project.path .. "/.tidegate.sock")
		connection:send(...)
		local answer = connection:rest()
		connection:close()
		return answer
	end

	it("refuses what it does not know", function()
		assert.equal("failed\nno such command\n\0", say("fly\n"))
		assert.equal("failed\nno such command\n\0", say("\n"))
		assert.equal("failed\nno such command\n\0", say("reload \n"))
	end)

	it("refuses a line without an end", function()
		assert.equal("failed\na command is one short line\n\0", say(("x"):rep(63)))
	end)

	it("takes a command in pieces", function()
		local connection = client.connect(gateway.project.path .. "/.tidegate.sock")
		connection:send("rel")
		assert.is_true(connection:is_silent())
		assert.match("^ok\ngeneration 2 serves", connection:send("oad\n"):rest())
	end)

	it("outlives those who leave before their answer", function()
		local path = gateway.project.path .. "/.tidegate.sock"
		for _ = 1, 20 do
			client.connect(path):send("rel"):close()
			client.connect(path):send("reload\n"):close()
			assert.equal("failed\nno such command\n\0", say("fly\n"))
		end
		assert.match("^ok\n", say("reload\n"))
	end)

	it("lets 16 in, and more when they have left", function()
		local crowd = {}
		for i = 1, 16 do
			crowd[i] = client.connect(gateway.project.path .. "/.tidegate.sock")
		end
		assert.equal("", say(""))
		for _, connection in ipairs(crowd) do
			connection:close()
		end
		program.await("an answer", function()
			return select(3, gateway:reload()) == 0
		end)
	end)
end)

describe("HUP", function()
	it("reloads", function()
		local gateway = server.start({ files = hello })
		gateway.project:write("handlers/hello.lua", "return function() return 'new' end")
		gateway:signal("HUP")
		gateway:wait_log('"msg":"reloaded","generation":2,')
		assert.equal("new", gateway:get("/hello").body)
		gateway:stop()
	end)

	it("changes nothing when a file is broken, and says why", function()
		local gateway = server.start({ files = hello })
		gateway.project:write("handlers/hello.lua", "return function(")
		gateway:signal("HUP")
		assert.match("^handlers/hello.lua:1: ",
			gateway:wait_log('"msg":"reload refused","generation":1,"ms":%d+,"report":"([^"]*)"'))
		assert.equal("hi", gateway:get("/hello").body)
		gateway:stop()
	end)
end)
