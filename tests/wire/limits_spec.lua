-- How many connections there may be, and what one may ask.

local around = require("tests.support.around")
local client = require("tests.support.client")
local program = require("tests.support.program")
local server = require("tests.support.server")

local files = {
	["handlers/quick.lua"] = "return function() return 'quick' end",
	["handlers/echo.lua"] = "return function(request) return request:text() end",
	["handlers/small.lua"] = "return { limits = { body = 3 }, POST = function(request) return request:text() end }",
}

local function count(text, pattern)
	return select(2, text:gsub(pattern, ""))
end

describe("connection_limit", function()
	local gateway
	around({ files = files, flags = { "--connection-limit", "3" } }, function(g)
		gateway = g
	end)

	-- So many connections that were answered, beside the one of each test.
	local function occupy(n)
		local held = {}
		for i = 1, n do
			held[i] = gateway:connect()
			assert.equal("quick", held[i]:fetch("GET", "/quick").body)
		end
		return held
	end

	local function release(held)
		for _, connection in ipairs(held) do
			connection:close()
		end
	end

	-- The gateway hears of a close in its own time.
	local function served_again()
		program.await(function() return "room" end, function()
			local connection = gateway:connect()
			local ok, response = pcall(connection.fetch, connection, "GET", "/quick")
			connection:close()
			return ok and response.status == 200
		end)
	end

	it("refuses what is too much with 503, and says when to come again", function()
		local held = occupy(2)
		local response = gateway:get("/quick")
		assert.equal(503, response.status)
		assert.equal("5", response.headers["retry-after"])
		assert.equal("close", response.headers.connection)
		assert.equal("503 Service Unavailable\n", response.body)
		for _, connection in ipairs(held) do
			assert.equal("quick", connection:fetch("GET", "/quick").body)
		end
		release(held)
		served_again()
	end)

	it("lets the refused client read why, whatever it was sending", function()
		local held = occupy(2)
		local connection = gateway:connect()
		connection:send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", ("x"):rep(100000))
		assert.equal(503, connection:response().status)
		connection:close()
		release(held)
		served_again()
	end)

	it("does not fill the log", function()
		local held = occupy(2)
		for _ = 1, 100 do
			local connection = gateway:connect()
			assert.equal(503, connection:response().status)
			connection:close()
		end
		assert.is_true(count(gateway:log(), "connection_limit = 3 connections") <= 2)
		release(held)
		served_again()
	end)

	it("closes without a word what is too much by far", function()
		local held, refused = occupy(2), {}
		for i = 1, 200 do
			refused[i] = gateway:connect() -- and does not read, nor close
		end
		assert.equal("quick", held[1]:fetch("GET", "/quick").body)
		assert.is_true(gateway:descriptors() < 150)
		release(refused)
		release(held)
		served_again()
	end)
end)

describe("address_limit", function()
	local gateway, connection
	around({
		files = files, threads = 2, listen = { "127.0.0.1:0", "[::1]:0" }, flags = { "--address-limit", "2" },
	}, function(g, c)
		gateway, connection = g, c
	end)

	it("counts the connections of an address on all threads", function()
		assert.equal(200, connection:fetch("GET", "/quick").status)
		local second = gateway:connect()
		assert.equal(200, second:fetch("GET", "/quick").status)
		for _ = 1, 8 do -- whichever thread takes it
			local response = gateway:get("/quick")
			assert.same({ 429, "5" }, { response.status, response.headers["retry-after"] })
		end
		second:close()
		program.await(function() return "room" end, function()
			local ok, response = pcall(gateway.get, gateway, "/quick")
			return ok and response.status == 200
		end)
	end)

	it("does not count other addresses", function()
		local second
		program.await(function() return "room" end, function() -- the last one's end may not be known yet
			second = gateway:connect()
			return second:fetch("GET", "/quick").status == 200
		end)
		local port = tonumber(gateway:log():match("%[::1%]:(%d+)"))
		local other = client.connect({ "::1", port })
		assert.equal(200, other:fetch("GET", "/quick").status)
		other:close()
		second:close()
	end)
end)

describe("request_limit", function()
	local connection
	around({ files = files, flags = { "--request-limit", "3" } }, function(_, c)
		connection = c
	end)

	it("closes a connection with the answer to its last request", function()
		for i = 1, 3 do
			local response = connection:fetch("GET", "/quick")
			assert.equal("quick", response.body)
			assert.equal(i == 3 and "close" or nil, response.headers.connection)
		end
		assert.is_true(connection:is_closed())
	end)

	it("does so in a pipeline", function()
		connection:send(("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n"):rep(10))
		for _ = 1, 3 do
			assert.equal(200, connection:response().status)
		end
		assert.is_true(connection:is_closed())
	end)
end)

describe("body_limit", function()
	local connection
	around({ files = files, flags = { "--body-limit", "5" } }, function(_, c)
		connection = c
	end)

	it("is that of routes without one of their own", function()
		assert.equal("12345", connection:fetch("POST", "/echo", nil, "12345").body)
		assert.equal(413, connection:fetch("POST", "/echo", nil, "123456").status)
	end)

	it("is less than what a route says", function()
		assert.equal("123", connection:fetch("POST", "/small", nil, "123").body)
		assert.equal(413, connection:fetch("POST", "/small", nil, "1234").status)
	end)
end)

describe("the limits of a head", function()
	local connection
	around({
		files = files, flags = { "--line-limit", "100", "--head-limit", "300", "--field-limit", "3" },
	}, function(_, c)
		connection = c
	end)

	local cases = {
		{ "a line", "GET /quick?" .. ("x"):rep(80) .. " HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
		{ "a longer line", "GET /quick?" .. ("x"):rep(90) .. " HTTP/1.1\r\nHost: a\r\n\r\n", 414 },
		{ "a head", "GET /quick HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(250) .. "\r\n\r\n", 200 },
		{ "a larger head", "GET /quick HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(300) .. "\r\n\r\n", 431 },
		{ "three fields", "GET /quick HTTP/1.1\r\nHost: a\r\nX: y\r\nX: y\r\n\r\n", 200 },
		{ "more fields", "GET /quick HTTP/1.1\r\nHost: a\r\nX: y\r\nX: y\r\nX: y\r\n\r\n", 431 },
	}
	for _, case in ipairs(cases) do
		it(("answer %s with %d"):format(case[1], case[3]), function()
			assert.equal(case[3], connection:send(case[2]):response().status)
		end)
	end
end)

describe("limits", function()
	it("are refused when they are no numbers", function()
		local wrong = { connection_limit = "0", address_limit = "x", request_limit = "-1", body_limit = "1.5", field_limit = "101" }
		for flag, value in pairs(wrong) do
			local name = "--" .. flag:gsub("_", "-")
			local _, errors, code = program.run("serve", "/tmp", name, value)
			assert.equal(2, code)
			assert.matches(("tidegate: %s must be "):format(name), errors, 1, true)
			assert.matches((", not '%s' (see"):format(value), errors, 1, true)
		end
	end)

	it("may be written as Lua calculates them", function()
		local gateway = server.start({ files = {
			["handlers/echo.lua"] = files["handlers/echo.lua"],
			["tidegate.lua"] = "return { body_limit = 2^3, request_limit = math.huge, head_timeout = 5 * 2 }",
		} })
		assert.equal(200, gateway:fetch("POST", "/echo", nil, "12345678").status)
		assert.equal(413, gateway:fetch("POST", "/echo", nil, "123456789").status)
		gateway:stop()
	end)
end)

describe("out of descriptors", function()
	it("a gateway stops accepting for a moment, says so once, and recovers", function()
		local gateway = server.start({
			files = files, environment = "prlimit --nofile=48:48", flags = { "--connection-limit", "1000" },
		})
		local before, held = gateway:descriptors(), {}
		for i = 1, 64 do
			held[i] = gateway:connect()
		end
		gateway:wait_log("cannot accept: Too many open files")
		assert.equal("quick", held[1]:fetch("GET", "/quick").body)
		for _, connection in ipairs(held) do
			connection:close()
		end
		assert.equal("quick", gateway:get("/quick").body)
		program.await(function() return "the descriptors" end, function()
			return gateway:descriptors() <= before
		end)
		local log = gateway:stop()
		assert.equal(1, count(log, "cannot accept"))
	end)
end)
