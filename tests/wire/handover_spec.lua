-- USR2: the program is started anew on the same sockets, and takes over.

local crowds = require("tests.support.crowd")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local hello = { ["handlers/hello.lua"] = "return function() return 'hi' end" }

local function read(path)
	local file = io.open(path)
	local text = file and file:read("a")
	return file and file:close() and text
end

-- The process that the pid file names, once it is another one than `pid`.
local function await_successor(gateway, pid)
	return program.await("another process in the pid file", function()
		local number = tonumber(read(gateway.project.path .. "/.tidegate.pid") or "")
		return number ~= pid and number
	end)
end

local function is_there(pid)
	return os.execute(("kill -0 %d 2>/dev/null"):format(pid))
end

local function await_end(pid)
	program.await("its end", function() return not is_there(pid) end)
end

local function await_request(project)
	program.await("the request", function()
		return (program.run("status", project.path)):find(" 1 requests", 1, true)
	end)
end

-- The sockets a process has in an epoll but not open any more: others hold
-- them, and each connection there would wake the process for nothing.
local function ghosts(pid)
	local command = ("cd /proc/%d && cat fdinfo/* 2>/dev/null; stat -L -c 'open %%i' fd/*"):format(pid)
	local pipe = assert(io.popen(command .. " 2>/dev/null"))
	local open, polled, found = {}, {}, {}
	for row in pipe:lines() do
		local inode = row:match("^open (%d+)")
		local hex = row:match("^tfd:.* ino:(%x+)")
		if inode then
			open[tonumber(inode)] = true
		elseif hex then
			polled[#polled + 1] = tonumber(hex, 16)
		end
	end
	pipe:close()
	for _, inode in ipairs(polled) do
		found[#found + 1] = not open[inode] and inode or nil
	end
	return found, #polled
end

-- Ends the process that has taken over: it is no child of ours.
local function stop(gateway, pid)
	local from = #gateway:log()
	assert.same({ "stopping\n", "", 0 }, { program.run("stop", gateway.project.path) })
	await_end(pid)
	return gateway:log():sub(from + 1)
end

describe("SIGUSR2", function()
	local gateway, successor

	it("has the program take over: no request fails, nobody is refused #threads", function()
		local project = projects.new(hello)
		gateway = server.start({ project = project, threads = 2 })
		local wrong = {}
		local crowd = crowds.new({
			port = gateway.port,
			target = "/hello",
			kept = 8,
			single = 4,
			asked = function() end,
			answered = function(status, body)
				if status ~= 200 or body ~= "hi" then
					wrong[#wrong + 1] = status .. body
				end
			end,
		})
		crowd:run(0.2)
		local pid, worker = gateway.pid, gateway:worker()
		gateway:signal("USR2")
		program.await("a successor", function()
			crowd:run(0.02)
			local number = tonumber(read(project.path .. "/.tidegate.pid") or "")
			successor = number ~= pid and number
			return successor
		end)
		program.await("the end of the old worker", function()
			crowd:run(0.02)
			return not is_there(worker)
		end)
		crowd:run(0.2)
		crowd:stop()
		assert.same({}, wrong)
		assert.match("process " .. successor .. " has taken over", gateway:log())
		assert.match("^generation 2 serves", (program.run("reload", project.path)))
		assert.match("^process " .. successor .. ", ", (program.run("status", project.path)))
		assert.match('"connections":0', stop(gateway, successor))
		assert.equal(0, gateway:wait())
		assert.not_match("Sanitizer", gateway.last_log)
		assert.is_nil(read(project.path .. "/.tidegate.pid"))
		project:delete()
	end)

	it("lets a connection ask once more, and tells it then of the end", function()
		local project = projects.new(hello)
		gateway = server.start({ project = project })
		local connection = gateway:connect()
		assert.is_nil(connection:fetch("GET", "/hello").headers["connection"])
		gateway:signal("USR2")
		program.await("connection: close", function()
			local response = connection:fetch("GET", "/hello") -- none fails
			return response.headers["connection"] == "close"
		end)
		assert.is_true(connection:is_closed())
		successor = await_successor(gateway, gateway.pid)
		stop(gateway, successor)
		assert.equal(0, gateway:wait())
		project:delete()
	end)

	it("reads the settings anew: more threads, another address, and those before", function()
		local project = projects.new(hello)
		local path = project.path .. "/http.sock"
		project:write("tidegate.lua", ("return { listen = { '127.0.0.1:0', 'unix:%s' }, threads = 3 }"):format(path))
		gateway = server.start({ project = project, listen = {}, listeners = 2, threads = nil })
		project:write("tidegate.lua", ("return { listen = { '127.0.0.1:0', 'unix:%s', '[::1]:0' }, log_level = 'debug' }")
			:format(path))
		gateway:signal("USR2")
		successor = await_successor(gateway, gateway.pid)
		assert.equal("hi", gateway:get("/hello").body)
		assert.equal("hi", gateway:fetch("GET", "/hello").body)
		local connection = gateway:connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		assert.match("listening on http://%[::1%]:%d+\n", gateway:log())
		local _, count = gateway:log():gsub("listening on http://127%.0%.0%.1:" .. gateway.port .. "\n", "")
		assert.equal(2, count)
		assert.equal(0, gateway:wait())
		os.execute("kill -TERM " .. successor)
		await_end(successor)
		assert.is_nil(io.open(path))
		project:delete()
	end)

	it("takes a socket over by its address, however that is written", function()
		local project = projects.new(hello)
		project:write("tidegate.lua", "return { listen = '127.1:0' }")
		gateway = server.start({ project = project, listen = {} })
		local pid = gateway.pid
		for _, listen in ipairs({ "127.0.0.1:%d", "127.1:%d", "127.0.0.1:%d" }) do
			project:write("tidegate.lua", ("return { listen = '%s' }"):format(listen:format(gateway.port)))
			os.execute("kill -USR2 " .. pid)
			successor = await_successor(gateway, pid)
			assert.equal("hi", gateway:get("/hello").body)
			pid = successor
		end
		assert.not_match("did not become ready", gateway:log())
		stop(gateway, successor)
		assert.equal(0, gateway:wait())
		project:delete()
	end)

	it("leaves dictionaries with files to the newer program, and takes them back", function()
		local project = projects.new({
			["handlers/count.lua"] = [[
local kept = require("tidegate.shared").open("kept", { file = "kept.db", sync = 60 })
return function() return tostring(kept:incr("n")) end]],
		})
		gateway = server.start({ project = project })
		assert.equal("1", gateway:get("/count").body)
		gateway:signal("USR2")
		successor = await_successor(gateway, gateway.pid)
		assert.equal(0, gateway:wait())
		assert.equal("2", gateway:get("/count").body)
		os.execute("kill -TERM " .. successor)
		await_end(successor)

		gateway = server.start({ project = project })
		assert.equal("3", gateway:get("/count").body)
		project:write("handlers/broken.lua", "return function(")
		gateway:signal("USR2")
		gateway:wait_log("the new program did not become ready; this one goes on")
		assert.equal("4", gateway:get("/count").body)
		project:remove("handlers/broken.lua")
		gateway:stop()
		gateway = server.start({ project = project })
		assert.equal("5", gateway:get("/count").body)
		gateway:stop()
		project:delete()
	end)

	it("changes nothing when what is started does not become ready", function()
		local project = projects.new(hello)
		local path = project.path .. "/http.sock"
		gateway = server.start({ project = project, listen = { "127.0.0.1:0", "unix:" .. path } })
		gateway.project:write("handlers/hello.lua", "return function(")
		gateway:signal("USR2")
		gateway:wait_log("the new program did not become ready; this one goes on")
		assert.equal("hi", gateway:get("/hello").body)
		local connection = gateway:connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		assert.equal(gateway.pid, tonumber(read(gateway.project.path .. "/.tidegate.pid")))
		gateway.project:write("handlers/hello.lua", "return function() return 'new' end")
		assert.match("^generation 2 serves", (gateway:reload()))
		gateway:stop()
		assert.is_nil(read(path))
		project:delete()
	end)

	it("is not lost when it comes before the first worker serves", function()
		local project = projects.new({
			["handlers/hello.lua"] = "local from = os.clock() while os.clock() - from < 0.3 do end\n"
				.. hello["handlers/hello.lua"],
		})
		local child = program.start({ "serve", project.path, "--listen", "127.0.0.1:0" })
		program.await("the pid file", function() return read(project.path .. "/.tidegate.pid") end)
		assert.not_match("listening", child:log())
		child:signal("USR2")
		successor = await_successor({ project = project }, child.pid)
		assert.equal(0, child:wait())
		os.execute("kill -TERM " .. successor)
		await_end(successor)
		project:delete()
	end)

	it("and a stop of all processes then let the requests in flight end", function()
		local project = projects.new({
			["handlers/slow.lua"] = "return function() require('tidegate.timer').sleep(7) return 'done' end",
			["handlers/hello.lua"] = hello["handlers/hello.lua"],
		})
		gateway = server.start({ project = project })
		local connection, worker = gateway:connect(), gateway:worker()
		connection:ask("GET", "/slow")
		await_request(project)
		gateway:signal("USR2")
		successor = await_successor(gateway, gateway.pid)
		os.execute(("kill -TERM %d %d %d"):format(gateway.pid, worker, successor))
		assert.equal("done", connection:response().body) -- longer than who hangs has
		assert.equal(0, gateway:wait())
		project:delete()
	end)

	it("leaves nothing of the sockets in the old worker's epoll", function()
		local project = projects.new({
			["handlers/read.lua"] = "return function(request) return request:text() end",
			["handlers/hello.lua"] = hello["handlers/hello.lua"],
		})
		gateway = server.start({ project = project })
		local worker, connection = gateway:worker(), gateway:connect()
		connection:send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
		await_request(project)
		local _, polled = ghosts(worker)
		assert.is_true(polled >= 3)
		gateway:signal("USR2")
		successor = await_successor(gateway, gateway.pid)
		program.await("the sockets to leave", function()
			local left, now = ghosts(worker)
			return #left == 0 and now < polled
		end)
		connection:send("b")
		assert.equal("ab", connection:response().body)
		assert.equal(0, gateway:wait())
		stop(gateway, successor)
		project:delete()
	end)
end)
