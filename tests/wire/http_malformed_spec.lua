-- tidegate.http, asked of origins that break the rules: what is not a sound
-- response is nil, message, code.

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")

local ok = "HTTP/1.1 200 OK\r\n"

-- name, what the origin sends before it closes, what the code returns
local cases = {
	{ "no bytes", "", "closed" },
	{ "half a status line", "HTTP/1.1 20", "closed" },
	{ "half a head", ok .. "content-length: 5\r\n", "closed" },
	{ "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "malformed" },
	{ "HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "malformed" },
	{ "HTTP/0.9", "hello", "malformed" },
	{ "an empty line first", "\r\n" .. ok .. "content-length: 0\r\n\r\n", "malformed" },
	{ "a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "malformed" },
	{ "a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "malformed" },
	{ "status 099", "HTTP/1.1 099 OK\r\n\r\n", "malformed" },
	{ "status 600", "HTTP/1.1 600 OK\r\n\r\n", "malformed" },
	{ "a tab behind the version", "HTTP/1.1\t200 OK\r\n\r\n", "malformed" },
	{ "a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "malformed" },
	{ "bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "malformed" },
	{ "a fold", ok .. "x-a: 1\r\n 2\r\ncontent-length: 0\r\n\r\n", "malformed" },
	{ "a space before the colon", ok .. "content-length : 5\r\n\r\nhello", "malformed" },
	{ "a field without a name", ok .. ": x\r\n\r\n", "malformed" },
	{ "a line that is no field", ok .. "hello\r\n\r\n", "malformed" },
	{ "a NUL in a field", ok .. "x-a: a\0b\r\ncontent-length: 0\r\n\r\n", "malformed" },
	{ "two lengths", ok .. "content-length: 5\r\ncontent-length: 6\r\n\r\nhello", "malformed" },
	{ "a length twice", ok .. "content-length: 5\r\ncontent-length: 5\r\n\r\nhello", "malformed" },
	{ "a list of lengths", ok .. "content-length: 5, 5\r\n\r\nhello", "malformed" },
	{ "a signed length", ok .. "content-length: +5\r\n\r\nhello", "malformed" },
	{ "a negative length", ok .. "content-length: -5\r\n\r\nhello", "malformed" },
	{ "an empty length", ok .. "content-length:\r\n\r\nhello", "malformed" },
	{ "a length beyond 64 bits", ok .. "content-length: 99999999999999999999\r\n\r\nhello", "malformed" },
	{ "length and chunked", ok .. "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed" },
	{ "an unknown coding", ok .. "transfer-encoding: gzip\r\n\r\nhello", "malformed" },
	{ "chunked before another", ok .. "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "malformed" },
	{ "chunked twice", ok .. "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed" },
	{ "chunked of HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed" },
	{ "a switch nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "malformed" },
	{ "no end of interim responses", ("HTTP/1.1 103 Early Hints\r\n\r\n"):rep(40), "malformed" },
	{ "101 fields", ok .. ("x: y\r\n"):rep(101) .. "\r\n", "too large" },
	{ "a status line of 9000 bytes", "HTTP/1.1 200 " .. ("y"):rep(9000) .. "\r\n\r\n", "too large" },
	{ "a head of 70 KB", ok .. ("x: " .. ("y"):rep(7000) .. "\r\n"):rep(10) .. "\r\n", "too large" },
	{ "a short body", ok .. "content-length: 10\r\n\r\nhello", "closed" },
	{ "a body that never begins", ok .. "content-length: 10\r\n\r\n", "closed" },
	{ "no last chunk", ok .. "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "closed" },
	{ "half a chunk", ok .. "transfer-encoding: chunked\r\n\r\n5\r\nhel", "closed" },
	{ "no end of trailers", ok .. "transfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n", "closed" },
	{ "a chunk size that is none", ok .. "transfer-encoding: chunked\r\n\r\nxyz\r\nhello", "malformed" },
	{ "a signed chunk size", ok .. "transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", "malformed" },
	{ "a chunk size of 0x", ok .. "transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", "malformed" },
	{ "a chunk beyond 64 bits", ok .. "transfer-encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", "malformed" },
	{ "a chunk without its line end", ok .. "transfer-encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n", "malformed" },
	{ "a chunk line without end", ok .. "transfer-encoding: chunked\r\n\r\n" .. ("1"):rep(2000), "malformed" },
	{ "trailers without end", ok .. "transfer-encoding: chunked\r\n\r\n0\r\n" .. ("x: y\r\n"):rep(3000), "malformed" },
	{ "gzip that is none", ok .. "content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello", "malformed" },
	{ "gzip that is cut off", ok .. "content-encoding: gzip\r\ncontent-length: 12\r\n\r\n\31\139\8\0\0\0\0\0\0\3\203\72", "malformed" },
	{ "br that is none", ok .. "content-encoding: br\r\ncontent-length: 5\r\n\r\n\255\255\255\255\255", "malformed" },
	{ "zstd that is none", ok .. "content-encoding: zstd\r\ncontent-length: 5\r\n\r\nhello", "malformed" },
}

-- Sound, though some are odd: the text
local sound = {
	{ "a length", ok .. "content-length: 5\r\n\r\nhello", "hello" },
	{ "no reason", "HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", "hello" },
	{ "an empty reason", "HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\nhello", "hello" },
	{ "content until the end", "HTTP/1.1 200 OK\r\n\r\nhello", "hello" },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "hello" },
	{ "nothing until the end", "HTTP/1.1 200 OK\r\n\r\n", "" },
	{ "interim responses", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" .. ok .. "content-length: 5\r\n\r\nhello", "hello" },
	{ "204 with a length", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", "" },
	{ "304 with a length", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "" },
	{ "chunks with extensions", ok .. "transfer-encoding: Chunked\r\n\r\n2;a=b;c=\"d\"\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello" },
	{ "bytes behind the response", ok .. "content-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n", "hello" },
	{ "an unknown content coding", ok .. "content-encoding: x-secret\r\ncontent-length: 5\r\n\r\nhello", "hello" },
	{ "gzip of nothing at all", ok .. "content-encoding: gzip\r\ncontent-length: 0\r\n\r\n", "" },
}

local ask = "local r, message, code = http.get(origin) if not r then return code end local text, message, code = r:text() return text or code"

describe("tidegate.http, of an origin that sends", function()
	local asker, origin

	lazy_setup(function()
		origin = origins.listen()
		asker = askers.start(origin.url)
	end)

	lazy_teardown(function()
		asker:stop()
		origin:close()
	end)

	local function answer(bytes, step)
		local client = asker:begin(ask)
		local visit = origin:accept()
		visit:request()
		if step then
			visit.stream:setoption("tcp-nodelay", true)
			for i = 1, #bytes, step do
				visit.stream:send(bytes:sub(i, i + step - 1)) -- it may have been enough
			end
		else
			visit.stream:send(bytes)
		end
		visit.stream:shutdown("send")
		local body = asker:finish(client)
		visit:close()
		return body
	end

	for _, case in ipairs(cases) do
		it(case[1] .. ", is told: " .. case[3], function()
			assert.equal(case[3], answer(case[2]))
			assert.equal(case[3], answer(case[2], math.max(3, #case[2] // 500)))
		end)
	end

	for _, case in ipairs(sound) do
		it(case[1] .. ", has the text", function()
			assert.equal(case[3], answer(case[2]))
			assert.equal(case[3], answer(case[2], 3))
		end)
	end

	it("a reset, is told: closed", function()
		local client = asker:begin(ask)
		local visit = origin:accept()
		visit:request()
		visit:reset()
		assert.equal("closed", asker:finish(client))
	end)

	it("a reset within the content, is told: closed", function()
		local client = asker:begin("local r = http.get(origin) local first = r:chunk() local second, message, code = r:chunk() return first, second, code")
		local visit = origin:accept()
		visit:request()
		visit:send(ok, "content-length: 10\r\n\r\nhello")
		visit.stream:shutdown("send")
		assert.equal("hello|nil|closed", asker:finish(client))
		visit:close()
	end)

	it("less than it said, raises from an iterator", function()
		local client = asker:begin([[
			local r, all = http.get(origin), ''
			local ok, why = pcall(function() for chunk in r:chunks() do all = all .. chunk end end)
			return ok, all, why]])
		local visit = origin:accept()
		visit:request()
		visit:send(ok, "content-length: 10\r\n\r\nhello"):close()
		assert.matches("^false|hello|.*broke off: the connection ended within the response$", (asker:finish(client)))
	end)

	it("more content than max_size, is told: too large", function()
		for _, body in ipairs({ "content-length: 11\r\n\r\nhello world", "\r\nhello world", "transfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n" }) do
			for _, method in ipairs({ "text", "buffer", "json" }) do
				local client = asker:begin(("local r = http.get(origin, { max_size = 10 }) return select(3, r:%s())"):format(method))
				local visit = origin:accept()
				visit:request()
				visit:send(ok, body):close()
				assert.equal("too large", (asker:finish(client)))
			end
		end
	end)

	it("to HEAD content all the same, is not listened to", function()
		local client = asker:begin("local r = http.head(origin) return r.status, r.headers['content-length'], #r:text(), http.get(origin):text()")
		local visit = origin:accept()
		assert.equal("HEAD / HTTP/1.1", visit:request().line)
		visit:send(ok, "content-length: 5\r\n\r\nhello")
		local second = origin:accept() -- the first connection is not to be trusted
		second:request()
		second:answer("fine")
		assert.equal("200|5|0|fine", asker:finish(client))
		assert.is_true(visit:is_closed())
		visit:close()
		second:close()
	end)

	it("JSON that is none, is told where", function()
		local client = asker:begin("local r = http.get(origin) local value, message, code = r:json() return value, message, code, r:text()")
		local visit = origin:accept()
		visit:request()
		visit:answer("[1,]")
		assert.matches("^nil|the content is not JSON: .*|malformed|%[1,%]$", (asker:finish(client)))
		visit:close()
	end)
end)
