local program = require("tests.support.program")
local server = require("tests.support.server")
local socket = require("socket")

local MiB = 1024 * 1024

local download = [[
local piece = ("tide"):rep(16 * 1024)
return function(request, response)
	for _ = 1, request.params.pieces do response:write(piece) end
end
]]

describe("bodies of a gigabyte #slow", function()
	local gateway, idle

	lazy_setup(function()
		gateway = server.start({ files = {
			["handlers/upload.lua"] = io.open("handlers/upload.lua"):read("a"),
			["handlers/download/{pieces:int}.lua"] = download,
		} })
		gateway:fetch("PUT", "/upload", nil, "warm")
		gateway:get("/download/10")
		idle = gateway:resident()
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	local function stays_small()
		local now = gateway:resident()
		assert.is_true(not program.measures_memory or now - idle <= 32 * MiB, ("%.1f MiB more than idle"):format((now - idle) / MiB))
	end

	local piece = ("x"):rep(MiB)

	it("are taken with a content-length, in the memory of an idle gateway", function()
		local client = gateway:connect()
		client:send("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ", tostring(1024 * MiB), "\r\n\r\n")
		for i = 1, 1024 do
			client:send(piece)
			if i % 64 == 0 then
				stays_small()
			end
		end
		assert.matches('"bytes":1073741824', client:response().body, 1, true)
		client:close()
	end)

	it("are taken in chunks", function()
		local client = gateway:connect()
		client:send("PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
		for i = 1, 1024 do
			client:send("100000\r\n", piece, "\r\n")
			if i % 64 == 0 then
				stays_small()
			end
		end
		client:send("0\r\n\r\n")
		assert.matches('"bytes":1073741824', client:response().body, 1, true)
		client:close()
	end)

	it("are sent to a client that reads a megabyte each second, then the rest", function()
		local client = gateway:connect()
		client:ask("GET", "/download/16384")
		client:head()
		local bytes, limit = 0, socket.gettime() + 5
		while socket.gettime() < limit do
			bytes = bytes + #client:chunk()
			socket.sleep(1 / 16)
			stays_small()
		end
		for data in function() return client:chunk() end do
			bytes = bytes + #data
		end
		stays_small()
		assert.equal(1024 * MiB, bytes)
		client:close()
	end)
end)

describe("a handler whose client left", function()
	local gateway
	local files = {
		["handlers/wait.lua"] = [[
local shared = require("tidegate.shared").open("t")
local timer = require("tidegate.timer")
return function(request)
	local guard <close> = setmetatable({}, { __close = function() shared:incr("closed") end })
	shared:incr("inside")
	timer.sleep(1000)
end]],
		["handlers/read.lua"] = [[
local shared = require("tidegate.shared").open("t")
return function(request)
	local guard <close> = setmetatable({}, { __close = function() shared:incr("closed") end })
	shared:incr("inside")
	return request:text()
end]],
		["handlers/write.lua"] = [[
local shared = require("tidegate.shared").open("t")
return function(request, response)
	local guard <close> = setmetatable({}, { __close = function() shared:incr("closed") end })
	shared:incr("inside")
	while true do response:write(("x"):rep(65536)) end
end]],
		["handlers/coroutine.lua"] = [[
local shared = require("tidegate.shared").open("t")
local timer = require("tidegate.timer")
return function(request, response)
	local outer <close> = setmetatable({}, { __close = function() shared:incr("closed") end })
	coroutine.wrap(function()
		local inner <close> = setmetatable({}, { __close = function() shared:incr("inner") end })
		shared:incr("inside")
		pcall(timer.sleep, 1000)
	end)()
end]],
		["handlers/count.lua"] = [[
local shared = require("tidegate.shared").open("t")
return function(request) return tostring(shared:get(request.query.of) or 0) end]],
	}

	local unix_path = os.tmpname()
	os.remove(unix_path)

	before_each(function()
		gateway = server.start({ files = files, listen = { "127.0.0.1:0", "unix:" .. unix_path } })
	end)

	after_each(function()
		gateway:stop()
	end)

	local function await_count(name, number)
		program.await(name .. " to be " .. number, function()
			return gateway:get("/count?of=" .. name).body == tostring(number)
		end)
	end

	local cases = {
		{ "sleeps", "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ "reads", "PUT /read HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf" },
		{ "reads chunks", "PUT /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n" },
		{ "writes", "GET /write HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ "sleeps in a coroutine of its own", "GET /coroutine HTTP/1.1\r\nHost: a\r\n\r\n" },
	}
	for _, case in ipairs(cases) do
		local name, request = table.unpack(case)
		it("ends while it " .. name .. ", and cleans up", function()
			local client = gateway:connect():send(request)
			await_count("inside", 1)
			client:close()
			await_count("closed", 1)
			if name:find("coroutine") then
				await_count("inner", 1)
			end
		end)
	end

	it("ends when the client was on a unix socket", function()
		local client = gateway:connect(unix_path):send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
		await_count("inside", 1)
		client:close()
		await_count("closed", 1)
	end)

	it("goes on when the client only says that it will send no more", function()
		local client = gateway:connect():send("GET /count?of=x HTTP/1.1\r\nHost: a\r\n\r\n"):finish()
		assert.equal("0", client:response().body)
		client:close()
	end)
end)

describe("an endless stream to a client that reads quickly", function()
	it("leaves others their turn", function()
		local gateway = server.start({ files = {
			["handlers/endless.lua"] = [[
local piece = ("x"):rep(1000)
return function(_, response) while true do response:write(piece) end end]],
			["handlers/hello.lua"] = "return function() return 'hello' end",
		} })
		local reader = io.popen(("curl -s -m 30 -o /dev/null http://127.0.0.1:%d/endless & echo $!"):format(gateway.port))
		local pid = reader:read("n")
		for _ = 1, 50 do
			assert.equal("hello", gateway:get("/hello").body)
		end
		os.execute("kill " .. pid)
		reader:close()
		gateway:stop()
	end)
end)
