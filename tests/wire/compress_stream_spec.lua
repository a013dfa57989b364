local around = require("tests.support.around")
local decode = require("tests.support.decode")
local program = require("tests.support.program")
local server = require("tests.support.server")

local MiB = 1024 * 1024

local codings = { "gzip" }
if program.run("version"):find("zstd") then
	codings[2] = "zstd"
end

local function accept(coding)
	return { "Accept-Encoding: " .. coding }
end

-- Events, each of which waits until a client has seen the one before.
local events = [[
local seen = require("tidegate.shared").open("seen")
local timer = require("tidegate.timer")
return function(request, response)
	response.headers["content-type"] = request.query.type
	local id, flush = request.query.id, request.query.flush
	for n = 1, 5 do
		response:write("data: event "):write(n .. "\n\n")
		if flush then response:flush() end
		while (seen:get(id) or 0) < n do timer.sleep(0.002) end
	end
end
]]

local files = {
	["handlers/events.lua"] = events,
	["handlers/seen.lua"] = [[
local seen = require("tidegate.shared").open("seen")
return function(request) seen:set(request.query.id, tonumber(request.query.n)) end]],
	["handlers/small.lua"] = [[
return function(_, response)
	for n = 1, 2000 do response:write("line " .. n .. " of many\n") end
end]],
	["handlers/sizes.lua"] = [[
return function(request, response)
	math.randomseed(tonumber(request.query.seed))
	for _ = 1, 60 do
		local piece = ("%x "):format(math.random(0)):rep(math.random(0, 20000) // 17 + 1)
		response:write(piece:sub(1, math.random(0, 3) == 0 and math.random(0, 9) or #piece))
		if math.random(4) == 1 then response:flush() end
	end
end]],
	["handlers/length.lua"] = [[
return function(request, response)
	response.headers["content-length"] = 4000
	for _ = 1, tonumber(request.query.pieces) do response:write(("a tide "):rep(100) .. ("."):rep(300)) end
end]],
	["handlers/fails.lua"] = [[
return function(_, response)
	response:write(("a tide "):rep(1000))
	error("an ebb")
end]],
	["handlers/noise.lua"] = [[
local shared = require("tidegate.shared").open("noise")
return function(_, response)
	local guard <close> = setmetatable({}, { __close = function() shared:incr("closed") end })
	local file <close> = io.open("/dev/urandom")
	shared:incr("open")
	while true do
		response:write(file:read(65536))
		shared:incr("written")
	end
end]],
	["handlers/count.lua"] = [[
local shared = require("tidegate.shared").open("noise")
return function(request) return tostring(shared:get(request.query.of) or 0) end]],
	["handlers/much.lua"] = [[
local piece = {}
for n = 1, 4096 do piece[n] = ("%08x tide\n"):format(n * 2654435761 % 2^32 // 1 | 0) end
piece = table.concat(piece)
return function(request, response)
	local left = tonumber(request.query.bytes)
	while left > 0 do
		response:write(piece:sub(1, math.min(left, #piece)))
		left = left - #piece
	end
end]],
	["handlers/open.lua"] = [[
local seen = require("tidegate.shared").open("seen")
local timer = require("tidegate.timer")
return function(_, response)
	response:write(("it is open "):rep(200))
	while not seen:get("enough") do timer.sleep(0.01) end
	response:write("and over")
end]],
}

describe("a compressed stream", function()
	local gateway, client
	around({ files = files, flags = { "--compress" } }, function(a, b) gateway, client = a, b end)

	local ids = 0
	for _, coding in ipairs(codings) do
		for name, query in pairs({
			["that waits"] = "",
			["that is flushed"] = "&flush=1",
			["of events"] = "&type=text/event-stream",
			["of events, flushed"] = "&type=text/event-stream&flush=1",
		}) do
			it(("%s can be decoded up to what was written, in %s"):format(name, coding), function()
				ids = ids + 1
				client:ask("GET", ("/events?id=%d%s"):format(ids, query), accept(coding))
				assert.equal(coding, client:head().headers["content-encoding"])
				local coded, expected = "", ""
				for n = 1, 5 do
					expected = expected .. ("data: event %d\n\n"):format(n)
					repeat
						coded = coded .. client:chunk()
						local text = decode.part(coding, coded)
						assert.equal(text, expected:sub(1, #text))
					until text == expected
					gateway:get(("/seen?id=%d&n=%d"):format(ids, n))
				end
				for data in function() return client:chunk() end do
					coded = coded .. data
				end
				assert.equal(expected, decode.whole(coding, coded))
			end)
		end

		it("of many small pieces is compressed as one, in " .. coding, function()
			local plain = client:fetch("GET", "/small").body
			local response = client:fetch("GET", "/small", accept(coding))
			assert.equal(coding, response.headers["content-encoding"])
			assert.is_nil(response.headers["content-length"])
			assert.is_true(response.chunks < 20, response.chunks)
			assert.is_true(#response.body < #plain / 3)
			assert.equal(plain, decode.whole(coding, response.body))
		end)

		it("of pieces and flushes at random is what was written, in " .. coding, function()
			for seed = 1, 10 do
				local plain = client:fetch("GET", "/sizes?seed=" .. seed).body
				local response = client:fetch("GET", "/sizes?seed=" .. seed, accept(coding))
				assert.is_true(plain == decode.whole(coding, response.body))
			end
		end)
	end

	it("is not bound to the content-length in its framing, but in what is written", function()
		local response = client:fetch("GET", "/length?pieces=4", accept("gzip"))
		assert.is_nil(response.headers["content-length"])
		assert.equal(4000, #decode.whole("gzip", response.body))
		for _, pieces in ipairs({ 3, 5 }) do
			local other = gateway:connect():ask("GET", "/length?pieces=" .. pieces, accept("gzip"))
			assert.equal("gzip", other:head().headers["content-encoding"])
			assert.has_error(function()
				while other:chunk() do end -- luacheck: ignore 542
			end)
			other:close()
		end
		gateway:wait_log("more than the content%-length that was set")
	end)

	it("that fails is cut, so that nobody takes it for the whole", function()
		local other = gateway:connect():ask("GET", "/fails", accept("gzip"))
		assert.equal("gzip", other:head().headers["content-encoding"])
		assert.has_error(function()
			while other:chunk() do end -- luacheck: ignore 542
		end)
		other:close()
	end)

	it("to HEAD has a head only", function()
		local head = client:fetch("HEAD", "/small", accept("gzip"))
		assert.equal("gzip", head.headers["content-encoding"])
		assert.equal("chunked", head.headers["transfer-encoding"])
		assert.equal(200, client:fetch("GET", "/small").status)
	end)

	it("ends when its client leaves, whether that read or not", function()
		local function count(of)
			return tonumber(gateway:get("/count?of=" .. of).body)
		end
		for round = 1, 4 do
			local other = gateway:connect():ask("GET", "/noise", accept("gzip"))
			program.await("the stream", function() return count("open") == round end)
			if round % 2 == 0 then -- it reads, and leaves in the middle
				other:head()
				for _ = 1, 20 do
					other:chunk()
				end
			else -- it does not, until the writer waits
				local written
				program.await("the writer to wait", function()
					local before = written
					written = count("written")
					return before == written and written > 3
				end)
			end
			other:close()
			program.await("the end", function() return count("closed") == round end)
		end
	end)
end)

describe("a compressed stream of 64 MiB", function()
	for _, coding in ipairs(codings) do
		it("takes no memory, and is what was written, in " .. coding, function()
			local gateway = server.start({ files = files, flags = { "--compress" } })
			gateway:get("/much?bytes=1000000", accept(coding))
			local idle, most = gateway:resident(), 0
			local sum = os.tmpname()
			local tool = coding == "gzip" and "gzip -dc" or "zstd -dcq"
			local pipe = io.popen(("%s | cksum >%s"):format(tool, sum), "w")
			local client = gateway:connect():ask("GET", "/much?bytes=" .. 64 * MiB, accept(coding))
			assert.equal(coding, client:head().headers["content-encoding"])
			local chunks = 0
			for data in function() return client:chunk() end do
				pipe:write(data)
				chunks = chunks + 1
				if chunks % 50 == 0 then
					most = math.max(most, gateway:resident())
				end
			end
			pipe:close()
			client:close()
			assert.is_true(chunks > 50)
			assert.is_true(not program.measures_memory or most - idle <= 4 * MiB, ("%.1f MiB more than idle"):format((most - idle) / MiB))
			local expected = io.popen(("curl -sS 'http://127.0.0.1:%d/much?bytes=%d' | cksum"):format(gateway.port, 64 * MiB))
			assert.equal(expected:read("a"), io.open(sum):read("a"))
			expected:close()
			os.remove(sum)
			gateway:stop()
		end)
	end
end)

describe("more compressed streams than a thread has memory for", function()
	it("go out as they are", function()
		local coding = codings[#codings]
		if coding ~= "zstd" then
			return pending("zstd is not built in; gzip takes too little")
		end
		local gateway = server.start({ files = files, flags = { "--compress" } })
		local clients, coded = {}, {}
		for i = 1, 240 do
			clients[i] = gateway:connect():ask("GET", "/open", accept(coding))
			coded[i] = clients[i]:head().headers["content-encoding"]
		end
		assert.equal(coding, coded[1])
		assert.is_nil(coded[240])
		gateway:get("/seen?id=enough&n=1")
		for i, client in ipairs(clients) do
			local body = ""
			for data in function() return client:chunk() end do
				body = body .. data
			end
			client:close()
			if i == 1 or i == 240 then
				assert.equal(("it is open "):rep(200) .. "and over", coded[i] and decode.whole(coding, body) or body)
			end
		end
		assert.equal(coding, gateway:get("/small", accept(coding)).headers["content-encoding"]) -- there is room again
		gateway:stop()
	end)
end)
