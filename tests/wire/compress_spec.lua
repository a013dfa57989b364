local around = require("tests.support.around")
local decode = require("tests.support.decode")
local program = require("tests.support.program")
local server = require("tests.support.server")

local built = program.run("version"):match("codings ([^\n]*)")
local codings = { "gzip" }
for _, coding in ipairs({ "br", "zstd" }) do
	if built:find("%f[%a]" .. coding .. "%f[%A]") then
		codings[#codings + 1] = coding
	end
end
local has = {}
for _, coding in ipairs(codings) do
	has[coding] = true
end

local function accept(value)
	return { "Accept-Encoding: " .. value }
end

-- Answers with what the query says: a body of `size` bytes, and fields.
local any = [[
return function(request, response)
	local query = request.query
	for name, value in pairs(query) do
		local field = name:match("^h%.(.*)$")
		if field then response.headers:add(field, value) end
	end
	if query.compress then response.compress = query.compress == "true" end
	local line = "the tide comes in, the tide goes out again\n"
	local size = tonumber(query.size or 5000)
	local body = line:rep(size // #line + 1):sub(1, size)
	if query.piece then
		local piece = tonumber(query.piece)
		for at = 1, size, piece do response:write(body:sub(at, at + piece - 1)) end
		return
	end
	return tonumber(query.status or 200), body
end
]]

local function text_of(size)
	local line = "the tide comes in, the tide goes out again\n"
	return line:rep(size // #line + 1):sub(1, size)
end

local json = [[
return function()
	local list = {}
	for i = 1, 500 do list[i] = { id = i, name = "name " .. i % 7 } end
	return list
end
]]

-- Random bytes that no coding makes smaller.
local noise = [[
local file = io.open("/dev/urandom")
local bytes = file:read(100000)
file:close()
return function() return bytes end
]]

local files = { ["handlers/any.lua"] = any, ["handlers/json.lua"] = json, ["handlers/noise.lua"] = noise }

describe("a compressed response", function()
	local gateway, client
	around({ files = files, flags = { "--compress" } }, function(a, b) gateway, client = a, b end)

	for _, coding in ipairs(codings) do
		it("of JSON is what was answered, in " .. coding, function()
			local plain = client:fetch("GET", "/json")
			local coded = client:fetch("GET", "/json", accept(coding))
			assert.equal(coding, coded.headers["content-encoding"])
			assert.equal("application/json", coded.headers["content-type"])
			assert.is_true(#coded.body < #plain.body / 4)
			assert.equal(plain.body, decode.whole(coding, coded.body))
		end)

		for _, size in ipairs({ 1024, 65536, 131072, 300001, 4 * 1024 * 1024 }) do
			it(("of %d bytes is what was answered, in %s"):format(size, coding), function()
				local coded = client:fetch("GET", "/any?size=" .. size, accept(coding))
				assert.equal(coding, coded.headers["content-encoding"])
				assert.is_true(text_of(size) == decode.whole(coding, coded.body))
			end)
		end

		it("is used again for the next content, in " .. coding, function()
			for size = 2000, 2040 do
				local coded = client:fetch("GET", "/any?size=" .. size, accept(coding))
				assert.equal(text_of(size), decode.whole(coding, coded.body))
			end
		end)

		it("is decoded by curl, in " .. coding, function()
			local pipe = io.popen(("curl -sS --compressed -H 'Accept-Encoding: %s' http://127.0.0.1:%d/any?size=9999"):format(
				coding, gateway.port))
			assert.equal(text_of(9999), pipe:read("a"))
			pipe:close()
		end)
	end

	it("has the same fields for HEAD", function()
		for _, target in ipairs({ "/any", "/any?piece=1000", "/any?size=10", "/any?h.etag=%22a%22" }) do
			local get = client:fetch("GET", target, accept("gzip"))
			local head = client:fetch("HEAD", target, accept("gzip"))
			get.headers.date, head.headers.date = nil, nil
			assert.same(get.headers, head.headers)
		end
	end)

	it("keeps the connection for what follows", function()
		client:ask("GET", "/any", accept("gzip")):ask("GET", "/any?piece=100", accept("gzip")):ask("GET", "/any")
		assert.equal(text_of(5000), decode.whole("gzip", client:response().body))
		assert.equal(text_of(5000), decode.whole("gzip", client:response().body))
		assert.equal(text_of(5000), client:response().body)
	end)

	it("goes to a client of HTTP/1.0, whole or as a stream", function()
		for _, target in ipairs({ "/any", "/any?piece=1000" }) do
			local old = gateway:connect()
			old:send("GET " .. target .. " HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
			local response = old:response()
			assert.equal("gzip", response.headers["content-encoding"])
			assert.equal(text_of(5000), decode.whole("gzip", response.body))
			old:close()
		end
	end)

	it("is counted in the access log as it was sent", function()
		local path = os.tmpname()
		local logging = server.start({ files = files, flags = { "--compress", "--access-log", path } })
		local sizes = {}
		for _, target in ipairs({ "/any", "/any?piece=50" }) do
			sizes[#sizes + 1] = #logging:get(target, accept("gzip")).body
		end
		logging:stop()
		for line in io.lines(path) do
			assert.equal(table.remove(sizes, 1), tonumber(line:match('"bytes":(%d+)')), line)
		end
		assert.same({}, sizes)
		os.remove(path)
	end)
end)

describe("the coding", function()
	local client
	around({ files = files, flags = { "--compress" } }, function(_, b) client = b end)

	local best = has.zstd and "zstd" or has.br and "br" or "gzip"
	local cases = {
		{ "gzip, deflate, br, zstd", best, has.zstd and "zstd" or "gzip" },
		{ "gzip, br", has.br and "br" or "gzip", "gzip" },
		{ "gzip;q=1, br;q=0.5, zstd;q=0.5", "gzip", "gzip" },
		{ "*", best, has.zstd and "zstd" or "gzip" },
		{ "x-gzip", "gzip", "gzip" },
		{ "gzip;q=0", nil, nil },
		{ "gzip;q=0, br;q=0, zstd;q=0, *", nil, nil },
		{ "deflate", nil, nil },
		{ "identity", nil, nil },
		{ "identity;q=0", nil, nil }, -- no 406: the answer as it is serves better
		{ "*;q=0", nil, nil },
		{ "gzip;q=2", nil, nil },
		{ "", nil, nil },
	}
	for _, case in ipairs(cases) do
		local value, whole, stream = table.unpack(case, 1, 3)
		it(("for '%s' is %s, of a stream %s"):format(value, whole, stream), function()
			local response = client:fetch("GET", "/any", accept(value))
			assert.equal(200, response.status)
			assert.equal(whole, response.headers["content-encoding"])
			assert.equal("Accept-Encoding", response.headers.vary)
			response = client:fetch("GET", "/any?piece=1000", accept(value))
			assert.equal(stream, response.headers["content-encoding"])
			assert.equal("Accept-Encoding", response.headers.vary)
		end)
	end

	it("is chosen from several lines as from one", function()
		local response = client:fetch("GET", "/any", { "Accept-Encoding: deflate", "accept-encoding: gzip" })
		assert.equal("gzip", response.headers["content-encoding"])
	end)

	it("is none without the field", function()
		local response = client:fetch("GET", "/any")
		assert.is_nil(response.headers["content-encoding"])
		assert.equal("Accept-Encoding", response.headers.vary)
	end)
end)

describe("a response", function()
	local client
	around({ files = files, flags = { "--compress" } }, function(_, b) client = b end)

	local function fetch(query)
		return client:fetch("GET", "/any?" .. query, accept("gzip, br, zstd"))
	end

	local types = {
		["text/html"] = true, ["Text/CSS; charset=utf-8"] = true, ["application/json"] = true,
		["application/problem+json"] = true, ["image/svg+xml"] = true, ["application/wasm"] = true,
		["application/javascript ;v=1"] = true, ["application/x-ndjson"] = true, ["text/event-stream"] = true,
		["image/png"] = false, ["image/jpeg"] = false, ["video/mp4"] = false, ["application/zip"] = false,
		["application/octet-stream"] = false, ["font/woff2"] = false, ["application/jsonx"] = false, ["text"] = false,
		["text/"] = false, ["+json"] = false,
	}
	for name, expected in pairs(types) do
		it(("of type %s is %scompressed"):format(name, expected and "" or "not "), function()
			local escaped = name:gsub("[^%w]", function(c) return ("%%%02x"):format(c:byte()) end)
			for _, more in ipairs({ "", "&piece=1000" }) do
				local response = fetch("h.content-type=" .. escaped .. more)
				assert.equal(expected, response.headers["content-encoding"] ~= nil)
				assert.equal(expected and "Accept-Encoding" or nil, response.headers.vary)
			end
		end)
	end

	local plain = {
		["below 1024 bytes"] = "size=1023",
		["above 4 MiB"] = "size=4194305",
		["that is a part"] = "status=206",
		["with a content-range"] = "h.content-range=bytes+0-4999/10000",
		["that must not be transformed"] = "h.cache-control=public,+No-Transform",
		["with a digest of its bytes"] = "h.content-digest=sha-256%3D:x:",
		["that says so"] = "compress=false",
		["that is a short stream"] = "piece=100&size=500&h.content-length=500",
	}
	for name, query in pairs(plain) do
		it(name .. " goes out as it is", function()
			local response = fetch(query)
			assert.is_nil(response.headers["content-encoding"])
			assert.is_nil(response.headers.vary)
			assert.is_true(response.body == text_of(#response.body))
		end)
	end

	it("that is encoded already keeps its coding", function()
		for _, more in ipairs({ "", "&piece=1000" }) do
			local response = fetch("h.content-encoding=br" .. more)
			assert.equal("br", response.headers["content-encoding"])
			assert.equal(text_of(5000), response.body)
		end
	end)

	it("that would grow goes out as it is, and varies", function()
		local response = client:fetch("GET", "/noise", accept("gzip"))
		assert.is_nil(response.headers["content-encoding"]) -- text, by its type
		assert.equal("Accept-Encoding", response.headers.vary)
		assert.equal("100000", response.headers["content-length"])
	end)

	for _, status in ipairs({ 201, 404, 500 }) do
		it("of status " .. status .. " is compressed", function()
			local response = fetch("status=" .. status)
			assert.equal(status, response.status)
			assert.is_truthy(response.headers["content-encoding"])
		end)
	end

	for _, status in ipairs({ 204, 304 }) do
		it("of status " .. status .. " has no body, nor a coding", function()
			local response = fetch("status=" .. status)
			assert.is_nil(response.headers["content-encoding"])
			assert.is_nil(response.headers["content-length"])
			assert.equal(status == 304 and "Accept-Encoding" or nil, response.headers.vary)
		end)
	end

	it("varies by Accept-Encoding beside what it varied by", function()
		assert.equal("Cookie, Accept-Encoding", fetch("h.vary=Cookie").headers.vary)
		assert.match("^%a+, %a+, Accept%-Encoding$", fetch("h.vary=Cookie&h.Vary=Origin").headers.vary)
		assert.equal("*", fetch("h.vary=*").headers.vary)
		assert.equal("accept-encoding", fetch("h.vary=accept-encoding").headers.vary)
		assert.equal("Cookie, ACCEPT-ENCODING", fetch("h.vary=Cookie,+ACCEPT-ENCODING").headers.vary)
	end)

	it("has a weak validator when it is compressed", function()
		assert.equal('W/"v1"', fetch("h.etag=%22v1%22").headers.etag)
		assert.equal('W/"v1"', fetch("h.etag=%22v1%22&piece=1000").headers.etag)
		assert.equal('W/"v1"', fetch("h.etag=W/%22v1%22").headers.etag)
		assert.equal('W/"v1"', fetch("h.etag=%22v1%22&status=304").headers.etag)
		assert.equal('"v1"', fetch("h.etag=%22v1%22&size=100").headers.etag)
		assert.equal('"v1"', client:fetch("GET", "/any?h.etag=%22v1%22").headers.etag)
		assert.equal('"v1"', client:fetch("GET", "/any?h.etag=%22v1%22&status=304").headers.etag)
	end)

	it("does not offer ranges of compressed bytes", function()
		assert.is_nil(fetch("h.accept-ranges=bytes").headers["accept-ranges"])
		assert.equal("bytes", fetch("h.accept-ranges=bytes&size=100").headers["accept-ranges"])
	end)
end)

describe("without --compress", function()
	local client
	around({ files = files }, function(_, b) client = b end)

	it("nothing is compressed, and nothing varies", function()
		for _, target in ipairs({ "/any", "/any?piece=1000", "/json" }) do
			local response = client:fetch("GET", target, accept("gzip, br, zstd"))
			assert.is_nil(response.headers["content-encoding"])
			assert.is_nil(response.headers.vary)
		end
	end)

	it("a response may ask for it", function()
		for _, target in ipairs({ "/any?compress=true", "/any?compress=true&piece=1000" }) do
			local response = client:fetch("GET", target, accept("gzip"))
			assert.equal(text_of(5000), decode.whole("gzip", response.body))
			assert.is_nil(client:fetch("GET", "/any", accept("gzip")).headers["content-encoding"]) -- only this one
		end
	end)
end)

describe("response.compress", function()
	it("is the setting until it is set, and only true or false", function()
		local files_of = {
			["tidegate.lua"] = "return { compress = true }",
			["handlers/show.lua"] = "return function(_, response) return tostring(response.compress) end",
			["handlers/set.lua"] = [[return function(_, response)
				response.compress = false
				return tostring(response.compress) end]],
			["handlers/wrong.lua"] = "return function(_, response) response.compress = 'gzip' end",
			["handlers/late.lua"] = "return function(_, response) response:write('x') response.compress = true end",
		}
		local gateway = server.start({ files = files_of })
		assert.equal("true", gateway:get("/show").body)
		assert.equal("false", gateway:get("/set").body)
		assert.equal(500, gateway:get("/wrong").status)
		local connection = gateway:connect():ask("GET", "/late")
		pcall(connection.response, connection)
		connection:close()
		local log = gateway:stop()
		assert.match("wrong.lua:1: 'compress' is true or false, not a string", log)
		assert.match("late.lua:1: the response has begun", log)
	end)
end)
