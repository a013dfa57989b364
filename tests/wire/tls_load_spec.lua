-- What many, slow, silent and vanishing TLS clients cost.

local socket = require("socket")

local program = require("tests.support.program")
local secure = require("tests.support.secure")

local mebibyte = 1024 * 1024

local files = {
	["handlers/hello.lua"] = "return function() return 'hello' end",
	["handlers/count.lua"] = [[
local written = 0
return {
	limits = { body = math.huge },
	GET = function() return tostring(written) end,
	PUT = function(request)
		local bytes = 0
		for chunk in request:chunks() do bytes = bytes + #chunk end
		return tostring(bytes)
	end,
	POST = function(_, response)
		local piece = ("x"):rep(65536)
		for i = 1, 1024 do
			response:write(piece)
			written = i
		end
	end,
}]],
}

describe("over TLS", function()
	local gateway

	before_each(function()
		gateway = secure.start({ files = files })
		assert.equal("hello", (gateway:curl("https://site.test/hello")))
	end)

	after_each(function()
		gateway:stop()
	end)

	local function grows_at_most(bytes, what)
		local before = gateway.gateway:resident()
		what()
		if program.measures_memory then
			local more = gateway.gateway:resident() - before
			assert.is_true(more <= bytes, ("%.1f MiB more"):format(more / mebibyte))
		end
	end

	it("uploads and downloads take constant memory", function()
		os.execute(("head -c %d /dev/zero > %s/zeros"):format(64 * mebibyte, gateway.project.path))
		grows_at_most(8 * mebibyte, function()
			assert.equal("67108864", (gateway:curl("-T zeros https://site.test/count")))
			assert.match("^%d+$", (gateway:curl("-X POST -o /dev/null -w '%{size_download}' https://site.test/count")))
		end)
	end)

	it("a slow reader makes the writer wait", function()
		local client = gateway:connect()
		grows_at_most(8 * mebibyte, function()
			client:ask("POST", "/count", {}, "")
			assert.equal(200, client:head().status)
			local before
			program.await("the writer to wait", function()
				local now = gateway:curl("https://site.test/count")
				local same = now == before
				before = now
				return same
			end)
			assert.is_true(tonumber(before) < 1024, before)
		end)
		local bytes = 0
		for piece in function() return client:chunk() end do
			bytes = bytes + #piece
		end
		assert.equal(64 * mebibyte, bytes)
		client:close()
	end)

	it("an upload that nobody reads makes the client wait", function()
		gateway.gateway:replace({
			["handlers/late.lua"] = [[
local go = false
return {
	limits = { body = math.huge },
	GET = function() go = true return "go" end,
	PUT = function(request)
		while not go do require("tidegate.timer").sleep(0.01) end
		local bytes = 0
		for chunk in request:chunks() do bytes = bytes + #chunk end
		return tostring(bytes)
	end,
}]],
		})
		os.execute(("head -c %d /dev/zero > %s/zeros"):format(64 * mebibyte, gateway.project.path))
		grows_at_most(8 * mebibyte, function()
			local pipe = io.popen(("cd %s && curl -sS --cacert ca.pem --connect-to ::127.0.0.1:%d -T zeros https://site.test/late"):format(
				gateway.project.path, gateway.port))
			socket.sleep(0.3) -- not waited for: it has the time to send too much
			assert.equal("go", (gateway:curl("https://site.test/late")))
			assert.equal("67108864", pipe:read("a"))
			pipe:close()
		end)
	end)

	it("500 connections come and go, and leave nothing", function()
		local descriptors = gateway.gateway:descriptors()
		local function crowd()
			local clients = {}
			for i = 1, 500 do
				clients[i] = gateway:connect()
				clients[i]:ask("GET", "/hello")
			end
			for i = 1, 500 do
				assert.equal("hello", clients[i]:response().body)
			end
			assert.is_true(gateway.gateway:descriptors() >= descriptors + 499) -- curl's may be gone by now
			for i = 1, 500 do
				clients[i]:close()
			end
			program.await("the descriptors to be closed", function()
				return gateway.gateway:descriptors() <= descriptors
			end)
		end
		local function crowds()
			for _ = 1, 4 do crowd() end
		end
		crowds() -- what is kept for later is made now
		grows_at_most(4 * mebibyte, crowds) -- 2 KiB for each connection: none is kept
	end)

	it("silent and dripping handshakes end with the time for a head", function()
		local silent, half, dripping = gateway:connect_plain(), gateway:connect_plain(), gateway:connect_plain()
		local idle = gateway:connect()
		half:send("\22\3\1\2\0\1")
		local hello = "\22\3\1\2\0\1\0\1\252\3\3" .. ("\0"):rep(600)
		local began, at = socket.gettime(), 0
		local ended
		repeat
			at = at + 1
			ended = not dripping.stream:send(hello:sub(at, at)) or #socket.select({ dripping.stream }, nil, 0.2) == 1
		until ended or socket.gettime() - began > program.patience
		assert.is_true(ended)
		assert.is_true(silent:is_closed())
		assert.is_true(half:is_closed())
		assert.is_true(idle:is_closed())
		for _, client in ipairs({ silent, half, dripping, idle }) do
			client:close()
		end
	end)

	it("a stop closes those that are in their handshake", function()
		local half = gateway:connect_plain()
		half:send("\22\3\1\2\0\1")
		assert.equal("hello", (gateway:curl("https://site.test/hello")))
		gateway.gateway:signal("TERM")
		assert.is_true(half:is_closed())
		half:close()
		gateway.gateway.signal = function() end -- it was told already
	end)
end)
