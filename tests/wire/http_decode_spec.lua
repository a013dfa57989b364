-- tidegate.http, content codings: what is decoded, and what is left alone.

local socket = require("socket")

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")

local python = "python3 -c 'import sys, zlib; z = zlib.compressobj(wbits=%d); "
	.. "sys.stdout.buffer.write(z.compress(sys.stdin.buffer.read()) + z.flush())'"
local programs = {
	gzip = "gzip -c",
	["x-gzip"] = "gzip -c",
	br = "brotli -c",
	zstd = "zstd -qc",
	deflate = python:format(15),
	["deflate without a frame"] = python:format(-15),
}

local function encode(coding, data)
	local path = os.tmpname()
	local file = assert(io.open(path, "wb"))
	file:write(data)
	file:close()
	local pipe = assert(io.popen(("%s <%s"):format(programs[coding], path)))
	local text = pipe:read("a")
	pipe:close()
	os.remove(path)
	return text
end

describe("tidegate.http, of content that is encoded,", function()
	local asker, origin

	lazy_setup(function()
		origin = origins.listen()
		asker = askers.start(origin.url, { flags = { "--time-limit", "60" } })
	end)

	lazy_teardown(function()
		asker:stop()
		origin:close()
	end)

	-- What the code returns when it gets this content.
	local function answer(code, body, fields, status)
		local client = asker:begin(code)
		local visit = origin:accept()
		local request = visit:request()
		-- who has enough of it closes
		visit.stream:send(("HTTP/1.1 %s\r\n%sconnection: close\r\ncontent-length: %d\r\n\r\n%s"):format(status or "200 OK", fields, #body, body))
		local text = asker:finish(client)
		visit:close()
		return text, request
	end

	local text = {}
	for i = 1, 5000 do
		text[i] = ("line %d of it\n"):format(i)
	end
	text = table.concat(text)

	for coding in pairs(programs) do
		local field = ("Content-Encoding: %s\r\n"):format(coding:match("%S+"))

		it("decodes " .. coding .. ", whole and in pieces", function()
			assert.equal(text .. "|nil|nil|nil", (answer(
				"local r = http.get(origin) return r:text(), r.headers['content-encoding'], r.headers['content-length'], r.headers['transfer-encoding']",
				encode(coding, text), field)))
			assert.equal(text, (answer("local all = '' for chunk in http.get(origin):chunks() do all = all .. chunk end return all", encode(coding, text), field)))
			assert.equal("|0", (answer("local r = http.get(origin) return r:text(), #r:buffer()", encode(coding, ""), field)))
		end)

		it("decodes " .. coding .. " that comes byte by byte", function()
			local client = asker:begin("return http.get(origin):text()")
			local visit = origin:accept()
			visit:request()
			local body = encode(coding, text:sub(1, 400))
			visit.stream:setoption("tcp-nodelay", true)
			visit:send(("HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n"):format(field, #body))
			for i = 1, #body do
				visit:send(body:sub(i, i))
			end
			assert.equal(text:sub(1, 400), (asker:finish(client)))
			visit:close()
		end)

		it("bounds what " .. coding .. " grows to", function()
			local bomb = encode(coding, ("0"):rep(50000000))
			assert.is_true(#bomb < 100000)
			assert.equal("nil|too large", (answer("local text, message, code = http.get(origin):text() return text, code", bomb, field)))
			assert.equal("true|too large", (answer("local r = http.get(origin, { max_size = 1000 }) return r.status == 200, (select(3, r:buffer()))", bomb, field)))
			assert.equal("50000000|true", (answer([[
				local n, most = 0, 0
				for chunk in http.get(origin):chunks() do n, most = n + #chunk, math.max(most, #chunk) end
				return n, most < 100000]], bomb, field)))
		end)

		it("tells of " .. coding .. " that is cut off or goes on", function()
			local whole = encode(coding, text)
			assert.equal("malformed", (answer("return (select(3, http.get(origin):text()))", whole:sub(1, -5), field)))
			assert.equal("malformed", (answer("return (select(3, http.get(origin):text()))", whole .. "more of it", field)))
		end)
	end

	it("decodes what comes now and then, though framing comes all the time", function()
		for coding in pairs(programs) do
			local client = asker:begin("return http.get(origin):text()")
			local visit = origin:accept()
			visit:request()
			visit.stream:setoption("tcp-nodelay", true)
			visit:send(("HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ntransfer-encoding: chunked\r\n\r\n"):format(
				coding:match("%S+")))
			local body = encode(coding, text:sub(1, 400))
			local function chunk(bytes)
				visit:send(("%x\r\n%s\r\n"):format(#bytes, bytes))
			end
			chunk(body:sub(1, 20))
			visit:send("1;")
			for _ = 1, 60 do -- each wakes who waits, and none brings content
				visit:send("x")
				socket.sleep(0.001)
			end
			visit:send("\r\n" .. body:sub(21, 21) .. "\r\n")
			chunk(body:sub(22))
			visit:send("0\r\n\r\n")
			assert.equal(text:sub(1, 400), (asker:finish(client)))
			visit:close()
		end
	end)

	it("decodes streams of gzip and zstd that follow each other", function()
		for _, coding in ipairs({ "gzip", "zstd" }) do
			local both = encode(coding, "one") .. encode(coding, "two")
			assert.equal("onetwo", (answer("return http.get(origin):text()", both, ("content-encoding: %s\r\n"):format(coding))))
		end
	end)

	it("asks for what it decodes", function()
		local _, request = answer("return http.get(origin).status", "", "")
		assert.equal("gzip, br, zstd", request.headers["accept-encoding"])
		_, request = answer("return http.get(origin, { decode = false }).status", "", "")
		assert.is_nil(request.headers["accept-encoding"])
	end)

	it("leaves alone what it is told to, or does not know", function()
		local coded = encode("gzip", "hello")
		local code = "local r = http.get(origin, %s) return r:text(), r.headers['content-encoding']"
		assert.equal(coded .. "|gzip", (answer(code:format("{ decode = false }"), coded, "content-encoding: gzip\r\n")))
		assert.equal(coded .. "|gzip, gzip", (answer(code:format("nil"), coded, "content-encoding: gzip, gzip\r\n")))
		assert.equal(coded .. "|gzip", (answer(code:format("nil"), coded, "content-encoding: gzip\r\ncontent-range: bytes 0-24/99\r\n", "206 Partial Content")))
	end)
end)
