-- What a service manager gives to a gateway, and hears from it.

local socket = require("socket")
local unix = require("socket.unix")

local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local hello = { ["handlers/hello.lua"] = "return function() return 'hi' end" }

local function output_of(line)
	local pipe = assert(io.popen(line))
	local text = pipe:read("a")
	pipe:close()
	return text
end

-- Starts what follows with these descriptors as 3, 4, ..., as sd_listen_fds(3) says.
local function handing_over(...)
	local moves = {}
	for i, fd in ipairs({ ... }) do
		moves[i] = ("%d<&%d"):format(i + 2, fd)
	end
	return ("bash -c 'export LISTEN_PID=$$ LISTEN_FDS=%d; exec \"$@\" %s' bash"):format(#moves, table.concat(moves, " "))
end

describe("a socket of the service manager", function()
	local listener, port

	before_each(function()
		listener = assert(socket.bind("127.0.0.1", 0))
		port = math.tointeger(tonumber((select(2, listener:getsockname()))))
	end)

	after_each(function()
		listener:close()
	end)

	local function fd()
		return math.tointeger(listener:getfd())
	end

	it("is served by all threads, and what waited in it, too", function()
		local early = assert(socket.connect("127.0.0.1", port))
		early:send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
		local gateway = server.start({
			files = hello,
			threads = 2,
			listen = { "127.0.0.1:" .. port },
			environment = handing_over(fd()),
		})
		assert.equal(port, gateway.port)
		assert.match("^HTTP/1.1 200", (early:receive("*l")))
		early:close()
		assert.equal("hi", gateway:get("/hello").body)
		gateway:stop()
	end)

	it("says where to listen, if nobody else does", function()
		local project = projects.new(hello)
		local path = project.path .. "/http.sock"
		local other = unix.stream()
		assert(other:bind(path))
		assert(other:listen(8))
		local gateway = server.start({
			project = project,
			listen = {},
			listeners = 2,
			environment = handing_over(fd(), math.tointeger(other:getfd())),
		})
		assert.equal(port, gateway.port)
		assert.equal("hi", gateway:get("/hello").body)
		local connection = gateway:connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		assert.is_truthy(gateway:log():find("listening on unix:" .. path .. "\n", 1, true))
		gateway:stop()
		other:close()
		project:delete()
	end)

	it("is told of when 'listen' names another address", function()
		local gateway = server.start({ files = hello, environment = handing_over(fd()) })
		assert.not_equal(port, gateway.port)
		assert.is_truthy(gateway:log():find(
			("a socket of 127.0.0.1:%d was handed over, but 'listen' does not name it"):format(port), 1, true))
		gateway:stop()
	end)

	it("that was meant for another process is left alone", function()
		local gateway = server.start({
			files = { ["handlers/fds.lua"] = "return function() return tostring(os.getenv('LISTEN_FDS')) end" },
			environment = "LISTEN_PID=1 LISTEN_FDS=1",
		})
		assert.equal("nil", gateway:get("/fds").body) -- nor do processes of handlers see it
		gateway:stop()
	end)
end)

describe("the service manager", function()
	local manager, path, gateway

	before_each(function()
		path = os.tmpname()
		os.remove(path)
		manager = unix.dgram()
		assert(manager:bind(path))
		manager:settimeout(program.patience)
	end)

	after_each(function()
		manager:close()
		os.remove(path)
	end)

	-- The next message that begins with that.
	local function await(pattern)
		local seen = {}
		for i = 1, 100 do
			local message = assert(manager:receive(), "no " .. pattern .. " after " .. table.concat(seen, "; "))
			seen[i] = message
			local found = message:match(pattern)
			if found then
				return found
			end
		end
	end

	it("hears of readiness, reloads and the stop", function()
		gateway = server.start({ files = hello, environment = "NOTIFY_SOCKET=" .. path })
		assert.equal(gateway.pid, tonumber(await("^MAINPID=(%d+)\nREADY=1$")))
		gateway:reload()
		await("^RELOADING=1\nMONOTONIC_USEC=%d+$")
		await("^READY=1\nSTATUS=generation 2 serves: ")
		gateway.project:write("handlers/hello.lua", "return")
		gateway:reload()
		await("^RELOADING=1\n")
		await("^READY=1\nSTATUS=the last reload was refused$")
		gateway:stop()
		await("^STOPPING=1$")
	end)

	it("hears again and again that all is well, if it wants to", function()
		gateway = server.start({ files = hello, environment = "WATCHDOG_USEC=60000 NOTIFY_SOCKET=" .. path })
		for _ = 1, 5 do
			await("^WATCHDOG=1$")
		end
		gateway:stop()
	end)

	it("hears who is the main process when a newer program has taken over", function()
		local project = projects.new(hello)
		gateway = server.start({ project = project, environment = "NOTIFY_SOCKET=" .. path })
		await("^MAINPID=(%d+)\nREADY=1$")
		gateway:signal("USR2")
		local successor = tonumber(await("^MAINPID=(%d+)\nREADY=1$"))
		assert.not_equal(gateway.pid, successor)
		assert.equal(0, gateway:wait())
		os.execute("kill -TERM " .. successor)
		await("^STOPPING=1$")
		program.await("its end", function() return not os.execute(("kill -0 %d 2>/dev/null"):format(successor)) end)
		project:delete()
	end)
end)

describe("--user", function()
	local is_root = output_of("id -u") == "0\n"

	it("gives up the rights of root, in all processes, once the addresses are bound", function()
		if not is_root then
			return pending("only root has rights to give up")
		end
		local project = projects.new({
			["handlers/who.lua"] = "return function() return io.popen('id -u; id -g; id -G'):read('a') end",
		})
		os.execute("chown -R nobody " .. projects.quote(project.path))
		local gateway = server.start({ project = project, flags = { "--user", "nobody" } })
		local id = output_of("id -u nobody; id -g nobody; id -G nobody")
		assert.equal(id, gateway:get("/who").body)
		local status = output_of(("grep -E '^(Uid|Gid)' /proc/%d/status"):format(gateway.pid))
		assert.not_match("\t0\t", status)
		assert.equal("nobody\n", output_of(("stat -c %%U %s/.tidegate.sock"):format(project.path)))
		assert.match("^generation 2 serves", (gateway:reload())) -- by root, who may
		gateway:stop()
		project:delete()
	end)

	describe("with few threads for that user", function()
		local project, gateway

		before_each(function()
			project = projects.new({
				["handlers/hello.lua"] = hello["handlers/hello.lua"],
				["handlers/fill.lua"] = [[
local pipes = {}
local route = {}
function route.PUT()
	local pipe
	repeat
		pipe = io.popen("exec cat >/dev/null", "w")
		pipes[#pipes + 1] = pipe
	until not pipe or #pipes == 100
	return tostring(#pipes)
end
function route.DELETE()
	local count = #pipes
	while pipes[1] do table.remove(pipes):close() end
	return tostring(count)
end
return route]],
			})
			os.execute("chown -R games " .. projects.quote(project.path)) -- of whom nothing runs but this
		end)

		after_each(function()
			project:delete()
		end)

		it("refuses a reload that would need more", function()
			if not is_root then
				return pending("only root can be another user")
			end
			gateway = server.start({ project = project, threads = 3, flags = { "--user", "games", "--time-limit", "10" },
				environment = "prlimit --nproc=20" })
			local filled = tonumber(gateway:fetch("PUT", "/fill").body)
			assert.is_true(filled > 2 and filled < 20, filled)
			project:write("handlers/bye.lua", "return function() return 'bye' end")
			local _, errors, code = gateway:reload()
			assert.same({ "cannot start a thread to load: Resource temporarily unavailable\n", 1 }, { errors, code })
			assert.equal("hi", gateway:get("/hello").body)
			program.await("the thread that has them", function()
				return gateway:fetch("DELETE", "/fill").body == tostring(filled)
			end)
			assert.match("^generation 2 serves", (gateway:reload()))
			assert.equal("bye", gateway:get("/bye").body)
			gateway:stop()
		end)

		it("does not start where even its own are too many", function()
			if not is_root then
				return pending("only root can be another user")
			end
			local attempt = program.start({ "serve", project.path, "--listen", "127.0.0.1:0", "--user", "games" }, "prlimit --nproc=2")
			assert.equal(1, attempt:wait())
			assert.equal("tidegate: cannot start a thread: Resource temporarily unavailable\n", attempt.last_log)
		end)
	end)

	local cases = {
		{ "there is no user 'who-is-this'", "who-is-this" },
		{ "there is no group 'what-is-this'", "root:what-is-this" },
	}
	for _, case in ipairs(cases) do
		it("is refused: " .. case[2], function()
			local project = projects.new(hello)
			assert.same({ "", "tidegate: " .. case[1] .. "\n", 1 },
				{ program.run("serve", project.path, "--listen", "127.0.0.1:0", "--user", case[2]) })
			assert.equal("", output_of(("ls -A %s | grep tidegate"):format(project.path)))
			project:delete()
		end)
	end
end)
