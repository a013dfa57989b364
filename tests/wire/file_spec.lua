-- response:file: what is sent, with which fields, and what is refused.

local around = require("tests.support.around")
local decode = require("tests.support.decode")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local secure = require("tests.support.secure")

-- Answers with what the query says: a path, options, fields, a status.
local any = [[
local function send(request, response)
	local query, options = request.query, {}
	for name, value in pairs(query) do
		local field = name:match("^h%.(.*)$")
		if field then response.headers[field] = value end
		local option = name:match("^o%.(.*)$")
		if option == "precompressed" then value = value == "true" end
		if option then options[option] = value end
	end
	if query.status then response.status = math.tointeger(tonumber(query.status)) end
	if query.compress then response.compress = query.compress == "true" end
	local ok, message, code = response:file(query.path, next(options) and options)
	if not ok then return 200, { message = message, code = code } end
	if ok ~= response then error("it gave something else") end
	return ok
end
return { GET = send, POST = send }
]]

local lines = ("the tide comes in, the tide goes out again\n"):rep(100)
local bytes = {}
for i = 0, 255 do bytes[i + 1] = string.char(i) end
local all = table.concat(bytes)

local files = {
	["handlers/any.lua"] = any,
	["handlers/returned.lua"] = "return function(_, response) return response:file('public/none.txt') end",
	["handlers/misuse.lua"] = [[
local uses = {
	none = function(response) response:file() end,
	number = function(response) response:file("a", 1) end,
	option = function(response) response:file("a", { rot = "b" }) end,
	nul = function(response) response:file("a\0b") end,
	empty = function(response) response:file("") end,
	type = function(response) response:file("public/a.txt", { type = "a\r\nb: c" }) end,
	download = function(response) response:file("public/a.txt", { download = "" }) end,
	flag = function(response) response:file("public/a.txt", { precompressed = 1 }) end,
	twice = function(response) response:file("public/a.txt") response:file("public/a.txt") end,
	begun = function(response) response:write("a") response:file("public/a.txt") end,
}
return function(request, response)
	local tell = request.query.tell
	local ok, message = pcall(uses[request.query.use], response)
	if ok then return "no error" end
	if tell == "client" then return 200, message end
	require("tidegate.log").info("told", { message = message })
end]],
	["handlers/after.lua"] = [[
local log = require("tidegate.log")
return function(_, response)
	response:file("public/a.txt")
	log.info("it goes on")
end]],
	["public/a.txt"] = "tide\n",
	["public/empty.txt"] = "",
	["public/lines.txt"] = lines,
	["public/lines.png"] = lines,
	["public/all.bin"] = all,
	["public/page.html"] = "<p>",
}

local function same_length(response)
	return tonumber(response.headers["content-length"])
end

describe("response:file", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	local function get(query, headers, method)
		return connection:fetch(method or "GET", "/any?" .. query, headers)
	end

	it("answers with the file and what there is to say of it", function()
		local response = get("path=public/a.txt")
		assert.same({ 200, "tide\n" }, { response.status, response.body })
		assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
		assert.equal("bytes", response.headers["accept-ranges"])
		assert.matches('^"%x+%-5"$', response.headers.etag)
		assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", response.headers["last-modified"])
	end)

	it("sends every byte as it is", function()
		local response = get("path=public/all.bin")
		assert.equal(all, response.body)
		assert.equal("application/octet-stream", response.headers["content-type"])
	end)

	it("sends an empty file", function()
		local response = get("path=public/empty.txt")
		assert.same({ 200, "", "0" }, { response.status, response.body, response.headers["content-length"] })
	end)

	it("answers HEAD with the fields of GET", function()
		for _, name in ipairs({ "a.txt", "lines.txt", "lines.png", "empty.txt", "all.bin" }) do
			for _, coding in ipairs({ "identity", "gzip" }) do
				local headers = { "Accept-Encoding: " .. coding }
				local whole = get("path=public/" .. name, headers)
				local head = get("path=public/" .. name, headers, "HEAD")
				whole.headers.date, head.headers.date = nil, nil
				assert.same(whole.headers, head.headers)
			end
		end
	end)

	it("opens absolute paths, too", function()
		assert.equal("tide\n", get("path=" .. gateway.project.path .. "/public/a.txt").body)
	end)

	it("answers another method whole, whatever it asks", function()
		local response = connection:fetch("POST", "/any?path=public/a.txt", { "Range: bytes=0-1", "If-None-Match: *" }, "")
		assert.same({ 200, "tide\n" }, { response.status, response.body })
	end)

	it("says what is wrong with a file that it cannot send", function()
		os.execute("mkfifo " .. projects.quote(gateway.project.path .. "/public/pipe"))
		for path, code in pairs({
			["public/none.txt"] = "ENOENT",
			["public"] = "EISDIR",
			["public/a.txt/b"] = "ENOTDIR",
			["public/pipe"] = "EINVAL",
			["/dev/zero"] = "EINVAL",
			[("x"):rep(300)] = "ENAMETOOLONG",
		}) do
			local response = get("path=" .. path)
			local answer = assert(load("return " .. response.body:gsub('"(%w+)":', "%1=")))()
			assert.equal(code, answer.code)
			assert.equal(path .. ": ", answer.message:sub(1, #path + 2))
			for _, name in ipairs({ "etag", "last-modified", "accept-ranges" }) do
				assert.is_nil(response.headers[name])
			end
		end
	end)

	it("says in the log what a handler that returns the failure has met", function()
		assert.equal(500, gateway:get("/returned").status)
		gateway:wait_log("handlers/returned.lua: a handler returned nil and a message: public/none.txt: No such file or directory")
	end)

	it("raises at the line that misuses it", function()
		for use, message in pairs({
			none = "bad argument #1 to 'file' (string expected, got no value)",
			number = "bad argument #2 to 'file' (table expected, got number)",
			option = "unknown option 'rot' of a file; did you mean 'root'?",
			nul = "bad argument #1 to 'file' (not a path)",
			empty = "bad argument #1 to 'file' (not a path)",
			type = "'type' of a file has bytes that no field may have",
			download = "'download' of a file is empty or has a NUL",
			flag = "'precompressed' of a file is true or false, not a number",
		}) do
			local response = gateway:get("/misuse?tell=client&use=" .. use)
			assert.equal(200, response.status)
			assert.matches("^handlers/misuse.lua:%d+: ", response.body)
			assert.equal(message, response.body:match("^[^ ]+ (.*)$"))
		end
		for use, message in pairs({ twice = "the exchange is over", begun = "the response has begun" }) do
			gateway:get("/misuse?use=" .. use)
			gateway:wait_log('"message":"handlers/misuse.lua:%d+: ' .. message)
		end
	end)

	it("is over when it returns; the handler may go on", function()
		assert.equal("tide\n", gateway:get("/after").body)
		gateway:wait_log("it goes on")
	end)

	describe("beneath a root", function()
		it("opens what is there", function()
			assert.equal("tide\n", get("path=a.txt&o.root=public").body)
		end)

		it("lets no path and no link lead out", function()
			local folder = projects.quote(gateway.project.path .. "/public")
			os.execute(("cd %s && ln -sf ../handlers/any.lua out && ln -sf a.txt in && ln -sf /etc up"):format(folder))
			assert.equal("tide\n", get("path=in&o.root=public").body)
			for _, path in ipairs({ "out", "../handlers/any.lua", "up/passwd", "/etc/passwd", "x/../../tidegate.lua" }) do
				local code = get("o.root=public&path=" .. path).body:match('"code":"(%w+)"')
				assert.is_true(code == "EXDEV" or code == "ENOENT", path .. ": " .. tostring(code))
			end
			assert.equal("ENOENT", get("o.root=public&path=a.txt%00.png").body:match('"code":"(%w+)"'))
		end)

		it("says when there is no such root", function()
			assert.equal("ENOENT", get("path=a.txt&o.root=nowhere").body:match('"code":"(%w+)"'))
		end)
	end)

	it("takes the type, the validators and the status a handler sets", function()
		assert.equal("text/x-tide", get("path=public/a.txt&o.type=text/x-tide").headers["content-type"])
		assert.equal("text/x-tide", get("path=public/a.txt&h.content-type=text/x-tide").headers["content-type"])
		local response = get("path=public/a.txt&h.etag=%22own%22", { 'If-None-Match: "own"' })
		assert.same({ 304, '"own"' }, { response.status, response.headers.etag })
		response = get("path=public/page.html&status=404", { "Range: bytes=0-0", "If-None-Match: *" })
		assert.same({ 404, "<p>" }, { response.status, response.body })
		assert.is_nil(response.headers["accept-ranges"])
	end)

	it("sends no content where the status has none", function()
		local response = get("path=public/lines.txt&status=204")
		assert.same({ 204 }, { response.status })
		assert.is_nil(response.headers["content-length"])
		assert.equal("tide\n", get("path=public/a.txt").body)
	end)

	it("names a download", function()
		local response = get("path=public/a.txt&o.download=" .. "Gezeiten%20%22%E2%82%AC.txt")
		assert.equal([[attachment; filename="Gezeiten __.txt"; filename*=UTF-8''Gezeiten%20%22%E2%82%AC.txt]],
			response.headers["content-disposition"])
	end)

	describe("compresses", function()
		it("small text, and says that its validator is another", function()
			local plain = get("path=public/lines.txt")
			local response = get("path=public/lines.txt&compress=true", { "Accept-Encoding: gzip" })
			assert.equal("gzip", response.headers["content-encoding"])
			assert.equal(lines, decode.whole("gzip", response.body))
			assert.equal("W/" .. plain.headers.etag, response.headers.etag)
			assert.equal("Accept-Encoding", response.headers.vary)
			assert.is_nil(response.headers["accept-ranges"])
			local again = get("path=public/lines.txt&compress=true", { "Accept-Encoding: gzip", "If-None-Match: " .. response.headers.etag })
			assert.same({ 304, response.headers.etag, "Accept-Encoding" },
				{ again.status, again.headers.etag, again.headers.vary })
		end)

		it("nothing that is small anyway, has a coding, or must not", function()
			for _, query in ipairs({
				"path=public/a.txt&compress=true", "path=public/lines.png&compress=true", "path=public/lines.txt&compress=false",
				"path=public/lines.txt&compress=true&h.content-type=image/png",
			}) do
				local response = get(query, { "Accept-Encoding: gzip" })
				assert.is_nil(response.headers["content-encoding"])
				assert.matches('^"', response.headers.etag)
				local again = get(query, { "Accept-Encoding: gzip", "If-None-Match: " .. response.headers.etag })
				assert.same({ 304, response.headers.etag }, { again.status, again.headers.etag })
			end
		end)

		it("no range of it", function()
			local response = get("path=public/lines.txt&compress=true", { "Accept-Encoding: gzip", "Range: bytes=4-7" })
			assert.same({ 206, "tide" }, { response.status, response.body })
		end)
	end)

	describe("precompressed", function()
		local path = "path=public/lines.txt&o.precompressed=true"

		before_each(function()
			local folder = projects.quote(gateway.project.path .. "/public")
			os.execute("cd " .. folder .. " && rm -f lines.txt.*")
			for _, ending in ipairs({ "gz", "br", "zst" }) do
				gateway.project:write("public/lines.txt." .. ending, ending)
			end
		end)

		local function sent(accept)
			local response = get(path, { "Accept-Encoding: " .. accept })
			assert.equal("Accept-Encoding", response.headers.vary)
			assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
			return (response.headers["content-encoding"] or "identity") .. " " .. response.body:sub(1, 8)
		end

		it("sends the version that the client likes best, or else the smallest", function()
			assert.equal("br br", sent("gzip, br, zstd"))
			assert.equal("zstd zst", sent("gzip, zstd"))
			assert.equal("gzip gz", sent("gzip"))
			assert.equal("gzip gz", sent("br;q=0.5, gzip"))
			assert.equal("identity the tide", sent("identity"))
			assert.equal("identity the tide", sent("identity, gzip;q=0.5"))
			assert.equal("br br", sent("*"))
		end)

		it("passes over what is not there, or older than the file", function()
			os.remove(gateway.project.path .. "/public/lines.txt.br")
			assert.equal("zstd zst", sent("gzip, br, zstd"))
			os.execute("touch -d '1 hour ago' " .. projects.quote(gateway.project.path .. "/public/lines.txt.zst"))
			assert.equal("gzip gz", sent("gzip, br, zstd"))
		end)

		it("has a validator for each version, and ranges of it", function()
			local tags = {}
			for _, coding in ipairs({ "identity", "gzip", "br", "zstd" }) do
				local response = get(path, { "Accept-Encoding: " .. coding })
				assert.is_nil(tags[response.headers.etag])
				tags[response.headers.etag] = true
				local again = get(path, { "Accept-Encoding: " .. coding, "If-None-Match: " .. response.headers.etag })
				assert.same({ 304, response.headers.etag }, { again.status, again.headers.etag })
				assert.is_nil(again.headers["content-encoding"])
			end
			local response = get(path, { "Accept-Encoding: zstd", "Range: bytes=1-" })
			assert.same({ 206, "st", "bytes 1-2/3", "zstd" }, {
				response.status, response.body, response.headers["content-range"], response.headers["content-encoding"],
			})
		end)
	end)
end)

describe("conditions", function()
	local connection, gateway
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	local function get(...)
		return connection:fetch("GET", "/any?path=public/a.txt", { ... })
	end

	it("are weighed by the file's own validators", function()
		local first = get()
		local etag, modified = first.headers.etag, first.headers["last-modified"]
		local past, future = "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"
		for _, row in ipairs({
			{ 304, "If-None-Match: " .. etag },
			{ 304, 'If-None-Match: "x", W/' .. etag },
			{ 200, 'If-None-Match: "x"' },
			{ 304, "If-Modified-Since: " .. modified },
			{ 304, "If-Modified-Since: " .. future },
			{ 200, "If-Modified-Since: " .. past },
			{ 200, 'If-None-Match: "x"', "If-Modified-Since: " .. modified },
			{ 200, "If-Match: " .. etag },
			{ 412, 'If-Match: "x"' },
			{ 412, "If-Match: W/" .. etag },
			{ 412, "If-Unmodified-Since: " .. past },
			{ 200, "If-Unmodified-Since: " .. modified },
			{ 412, 'If-Match: "x"', "If-None-Match: " .. etag },
		}) do
			local response = get(table.unpack(row, 2))
			assert.equal(row[1], response.status, table.concat(row, " "))
			assert.equal(row[1] == 200 and "tide\n" or "", response.body)
			assert.equal(etag, response.headers.etag)
			assert.equal(row[1] == 200, response.headers["content-type"] ~= nil)
		end
	end)

	it("see a file that is replaced by one as long, at once", function()
		gateway.project:write("public/b.txt", "ebb 1")
		local function tag()
			return connection:fetch("GET", "/any?path=public/b.txt").headers.etag
		end
		local before = tag()
		assert.equal(before, tag())
		program.await("another second of the disk's clock", function()
			gateway.project:write("public/b.txt", "ebb 2")
			return tag() ~= before
		end)
	end)

	it("see no date in the future", function()
		os.execute("touch -d '2 days' " .. projects.quote(gateway.project.path .. "/public/a.txt"))
		local response = get()
		assert.equal(response.headers.date, response.headers["last-modified"])
		os.execute("touch " .. projects.quote(gateway.project.path .. "/public/a.txt"))
	end)
end)

-- The parts of a multipart/byteranges response: { type, range, content }.
local function parts_of(response)
	local boundary = assert(response.headers["content-type"]:match("^multipart/byteranges; boundary=(%w+)$"))
	local parts, at = {}, 1
	while true do
		local head, ends = response.body:find("^\r\n%-%-" .. boundary .. "\r\n", at)
		if not head then break end
		local type, first, last, size, start = response.body:match(
			"^Content%-Type: ([^\r]*)\r\nContent%-Range: bytes (%d+)%-(%d+)/(%d+)\r\n\r\n()", ends + 1)
		at = start + last - first + 1
		parts[#parts + 1] = { type, ("%d-%d/%d"):format(first, last, size), response.body:sub(start, at - 1) }
	end
	assert.equal("\r\n--" .. boundary .. "--\r\n", response.body:sub(at))
	return parts
end

describe("ranges", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	local function get(range, ...)
		return connection:fetch("GET", "/any?path=public/all.bin", { "Range: " .. range, ... })
	end

	it("are sent one alone", function()
		for range, slice in pairs({
			["bytes=0-0"] = { 0, 0 }, ["bytes=0-"] = { 0, 255 }, ["bytes=10-19"] = { 10, 19 }, ["bytes=-6"] = { 250, 255 },
			["bytes=250-999"] = { 250, 255 }, ["bytes=-999"] = { 0, 255 }, ["bytes=5-6,900-"] = { 5, 6 },
		}) do
			local response = get(range)
			assert.equal(206, response.status)
			assert.equal(("bytes %d-%d/256"):format(slice[1], slice[2]), response.headers["content-range"])
			assert.equal(all:sub(slice[1] + 1, slice[2] + 1), response.body)
			assert.equal("application/octet-stream", response.headers["content-type"])
		end
	end)

	it("are sent several, in the order they are asked for", function()
		local response = get("bytes=-2, 0-3,10-10")
		assert.equal(206, response.status)
		assert.is_nil(response.headers["content-range"])
		local type = "application/octet-stream"
		assert.same({
			{ type, "254-255/256", "\254\255" },
			{ type, "0-3/256", "\0\1\2\3" },
			{ type, "10-10/256", "\n" },
		}, parts_of(response))
	end)

	it("are told the size when none can be had", function()
		for _, range in ipairs({ "bytes=256-", "bytes=-0", "bytes=999-1000,2000-" }) do
			local response = get(range)
			assert.same({ 416, "bytes */256", "" },
				{ response.status, response.headers["content-range"], response.body })
		end
	end)

	it("are ignored when malformed, twice, unknown, or an attack", function()
		local many = "bytes=" .. ("1-1,"):rep(40) .. "2-2"
		for _, range in ipairs({ "bytes=", "bytes=b-a", "bytes=9-1", "tides=1-2", "bytes=0-,0-", many }) do
			local response = get(range)
			assert.same({ 200, all }, { response.status, response.body })
		end
		assert.equal(200, get("bytes=0-1", "Range: bytes=0-1").status)
	end)

	it("of HEAD are ignored", function()
		local response = connection:fetch("HEAD", "/any?path=public/all.bin", { "Range: bytes=0-1" })
		assert.same({ 200, 256 }, { response.status, same_length(response) })
	end)

	it("count only if the file is the same", function()
		local etag = get("bytes=0-1").headers.etag
		assert.equal(206, get("bytes=0-1", "If-Range: " .. etag).status)
		assert.equal(200, get("bytes=0-1", 'If-Range: "x"').status)
		assert.equal(200, get("bytes=0-1", "If-Range: W/" .. etag).status)
		assert.equal(200, get("bytes=0-1", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT").status)
		assert.equal(304, get("bytes=0-1", "If-None-Match: " .. etag).status)
		assert.equal(412, get("bytes=0-1", 'If-Match: "x"').status)
	end)

	it("of a date count when it is a second old", function()
		program.await("a second", function()
			local modified = get("bytes=0-1").headers["last-modified"]
			return get("bytes=0-1", "If-Range: " .. modified).status == 206
		end)
	end)
end)

describe("over TLS a file", function()
	local gateway

	before_each(function()
		gateway = secure.start({ files = files })
	end)

	after_each(function()
		gateway:stop()
	end)

	it("arrives as it is, whole and in ranges", function()
		local path = gateway.project.path
		os.execute(("head -c 5000000 /dev/urandom >%s/public/big.bin"):format(projects.quote(path)))
		local _, errors, code = gateway:curl("-o got https://site.test/any?path=public/big.bin")
		assert.same({ "", 0 }, { errors, code })
		assert.is_true(os.execute(("cmp %s/got %s/public/big.bin"):format(path, path)))
		_, errors, code = gateway:curl("-r 1000000-3999999 -o got https://site.test/any?path=public/big.bin")
		assert.same({ "", 0 }, { errors, code })
		assert.is_true(os.execute(("tail -c +1000001 %s/public/big.bin 2>/dev/null | head -c 3000000 | cmp - %s/got"):format(path, path)))
	end)
end)
