-- Large files on their way: to slow clients and leaving ones, while the code is
-- replaced or the gateway stops, and when the file changes under it.

local program = require("tests.support.program")
local projects = require("tests.support.project")
local secure = require("tests.support.secure")
local server = require("tests.support.server")
local socket = require("socket")

local quote = projects.quote
local mebibyte = 1024 * 1024
local size = 64 * mebibyte -- more than sockets hold

local files = {
	["handlers/hello.lua"] = "return function() return 'hello' end",
	["handlers/big.lua"] = "return function(_, response) return response:file('big') end",
	["handlers/small.lua"] = "return function(_, response) return response:file('small') end",
	["handlers/copy.lua"] = "return function(_, response) return response:file('copy') end",
	["handlers/raises.lua"] = [[
return function(_, response)
	response:file("big")
	error("on purpose")
end]],
	["small"] = ("tide"):rep(5000),
}

-- Runs in the project's folder; its first line.
local function shell(project, command)
	local pipe = assert(io.popen(("cd %s && %s"):format(quote(project.path), command)))
	local line = pipe:read("l")
	pipe:close()
	return line
end

local big -- one file for all tests, and what it holds

lazy_setup(function()
	big = projects.new()
	shell(big, ("head -c %d /dev/urandom >big"):format(size))
	big.sum = shell(big, "sha256sum <big")
end)

lazy_teardown(function()
	big:delete()
end)

local function link(project)
	shell(project, ("ln %s/big big || ln -s %s/big big"):format(quote(big.path), quote(big.path)))
end

-- Reads so many bytes of content into a file; returns how many came.
local function take(connection, path, bytes)
	local file = assert(io.open(path, "ab"))
	local got = 0
	while got < bytes do
		local piece, _, partial = connection.stream:receive(math.min(mebibyte, bytes - got))
		piece = piece or partial
		if #piece == 0 then break end
		file:write(piece)
		got = got + #piece
	end
	file:close()
	return got
end

local function files_open(gateway, name)
	local count = 0
	local pipe = io.popen(("readlink /proc/%d/fd/*"):format(gateway:worker()))
	for path in pipe:lines() do
		count = count + (path:find("/" .. name .. "$") and 1 or 0)
	end
	pipe:close()
	return count
end

describe("a file on its way", function()
	local gateway

	local function start(flags)
		gateway = server.start({ files = files, flags = flags })
		link(gateway.project)
	end

	before_each(function()
		gateway = nil
	end)

	after_each(function()
		if gateway then
			gateway:stop()
		end
	end)

	local function ask(name)
		local connection = gateway:connect()
		local head = connection:ask("GET", "/" .. name):head()
		assert.equal(size, tonumber(head.headers["content-length"]))
		return connection
	end

	local function received_is_whole()
		return big.sum == shell(gateway.project, "sha256sum <got")
	end

	it("arrives whole, in little memory, while others are served", function()
		start()
		local before = gateway:resident()
		local connection = ask("big")
		assert.equal("hello", gateway:get("/hello").body)
		assert.equal(1, files_open(gateway, "big"))
		assert.equal(size, take(connection, gateway.project.path .. "/got", size))
		assert.is_true(received_is_whole())
		if program.measures_memory then
			assert.is_true(gateway:resident() - before < 4 * mebibyte)
		end
		assert.equal("hello", connection:fetch("GET", "/hello").body)
		assert.equal(0, files_open(gateway, "big"))
		connection:close()
	end)

	it("is answered in order among pipelined requests", function()
		start()
		local connection = gateway:connect()
		connection:ask("GET", "/small"):ask("GET", "/big"):ask("GET", "/hello"):ask("GET", "/small")
		assert.equal(files.small, connection:response().body)
		connection:head()
		take(connection, gateway.project.path .. "/got", size)
		assert.is_true(received_is_whole())
		assert.equal("hello", connection:response().body)
		assert.equal(files.small, connection:response().body)
		connection:close()
	end)

	it("is closed when its client leaves", function()
		start()
		for _ = 1, 20 do
			local connection = ask("big")
			assert.is_string(connection.stream:receive(mebibyte))
			connection:close()
		end
		program.await("the file's end", function()
			return files_open(gateway, "big") == 0
		end)
		assert.equal("hello", gateway:get("/hello").body)
	end)

	it("is cut when its client takes nothing", function()
		start({ "--write-timeout", "0.5" })
		local connection = ask("big")
		program.await("the file's end", function()
			return files_open(gateway, "big") == 0
		end)
		assert.is_true(take(connection, gateway.project.path .. "/got", size) < size)
		connection:close()
	end)

	it("goes on, however slowly, for a client that takes some", function()
		start({ "--write-timeout", "0.5" })
		local connection = ask("big")
		local got, ends = 0, socket.gettime() + 2
		repeat
			local piece = connection.stream:receive(mebibyte)
			got = got + #assert(piece, "it was cut")
			socket.sleep(0.1) -- a slow reader
		until socket.gettime() > ends
		assert.equal(1, files_open(gateway, "big"))
		connection:close()
	end)

	it("does not hold up a reload, and is not hurt by it", function()
		start()
		local connection = ask("big")
		take(connection, gateway.project.path .. "/got", mebibyte)
		for i = 1, 3 do
			gateway:replace({ ["handlers/hello.lua"] = ("return function() return 'hello %d' end"):format(i) })
			assert.equal("hello " .. i, gateway:get("/hello").body)
		end
		take(connection, gateway.project.path .. "/got", size - mebibyte)
		assert.is_true(received_is_whole())
		assert.equal("hello 3", connection:fetch("GET", "/hello").body)
		connection:close()
	end)

	it("is finished before a stop", function()
		start()
		local connection = ask("big")
		gateway:signal("TERM")
		program.await("the listener's end", function()
			return not pcall(gateway.connect, gateway)
		end)
		take(connection, gateway.project.path .. "/got", size)
		assert.is_true(received_is_whole())
		assert.is_true(connection:is_closed())
		connection:close()
		gateway:ended()
		gateway = nil
	end)

	it("goes on when its handler raises afterwards", function()
		start()
		local connection = ask("raises")
		gateway:wait_log("after its response: handlers/raises.lua:3: on purpose")
		take(connection, gateway.project.path .. "/got", size)
		assert.is_true(received_is_whole())
		assert.equal("hello", connection:fetch("GET", "/hello").body)
		connection:close()
	end)

	it("is cut when a stop has waited for long enough", function()
		start({ "--drain-timeout", "0.3" })
		local connection = ask("big")
		gateway:stop()
		gateway = nil
		assert.is_nil((connection.stream:receive(size)))
		connection:close()
	end)

	it("is cut, without an end that looks like one, when it becomes shorter", function()
		start()
		shell(gateway.project, "cp big copy")
		local connection = ask("copy")
		shell(gateway.project, "truncate -s 1M copy")
		local got = take(connection, gateway.project.path .. "/got", size)
		assert.is_true(got < size)
		connection:close()
		assert.equal("hello", gateway:get("/hello").body)
	end)

	it("stays what it was when another takes its name", function()
		start()
		shell(gateway.project, "cp big copy")
		local connection = ask("copy")
		shell(gateway.project, "echo tide >new && mv new copy")
		take(connection, gateway.project.path .. "/got", size)
		assert.is_true(received_is_whole())
		assert.equal("tide\n", gateway:get("/copy").body)
		connection:close()
	end)

	it("may be larger than memory and 32 bits", function()
		start()
		shell(gateway.project, "truncate -s 6G copy && printf tide >>copy")
		local connection = gateway:connect()
		local head = connection:ask("HEAD", "/copy"):response("HEAD")
		assert.equal(tostring(6 * 1024 * mebibyte + 4), head.headers["content-length"])
		local response = connection:fetch("GET", "/copy", { "Range: bytes=-6" })
		assert.equal("\0\0tide", response.body)
		assert.equal("bytes 6442450942-6442450947/6442450948", response.headers["content-range"])
		response = connection:fetch("GET", "/copy", { "Range: bytes=6442450944-,0-1" })
		assert.is_truthy(response.body:find("6442450944-6442450947/6442450948\r\n\r\ntide\r\n", 1, true))
		connection:close()
	end)

	it("counts in the access log as far as it went", function()
		gateway = server.start({ files = files, flags = { "--access-log", "-" } })
		link(gateway.project)
		local connection = ask("big")
		take(connection, gateway.project.path .. "/got", size)
		connection:close()
		gateway:wait_log('"target":"/big"[^\n]*"bytes":' .. size)
	end)

	it("goes through a unix socket, and to HTTP/1.0", function()
		local path = os.tmpname() .. ".socket"
		gateway = server.start({ files = files, listen = { "127.0.0.1:0", "unix:" .. path } })
		link(gateway.project)
		local connection = gateway:connect(path)
		connection:ask("GET", "/big"):head()
		take(connection, gateway.project.path .. "/got", size)
		assert.is_true(received_is_whole())
		connection:close()
		connection = gateway:connect()
		connection:send("GET /small HTTP/1.0\r\n\r\n")
		local response = connection:response()
		assert.same({ "close", files.small }, { response.headers.connection or "close", response.body })
		assert.is_true(connection:is_closed())
		connection:close()
	end)
end)

describe("over TLS a file on its way", function()
	local gateway

	before_each(function()
		gateway = secure.start({ files = files })
		link(gateway.project)
	end)

	after_each(function()
		gateway:stop()
	end)

	it("arrives whole, and is closed when its client leaves", function()
		local connection = gateway:connect()
		connection:ask("GET", "/big"):head()
		take(connection, gateway.project.path .. "/got", size)
		assert.equal(big.sum, shell(gateway.project, "sha256sum <got"))
		connection:ask("GET", "/big"):head()
		assert.equal(1, files_open(gateway.gateway, "big"))
		connection:close()
		program.await("the file's end", function()
			return files_open(gateway.gateway, "big") == 0
		end)
	end)

	it("is cut, without an end that looks like one, when it becomes shorter", function()
		shell(gateway.project, "cp big copy")
		local connection = gateway:connect("cut")
		connection:ask("GET", "/copy"):head()
		shell(gateway.project, "truncate -s 1M copy")
		assert.is_true(take(connection, gateway.project.path .. "/got", size) < size)
		connection:close()
	end)
end)
