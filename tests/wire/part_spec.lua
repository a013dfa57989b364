local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")

local type = "Content-Type: multipart/form-data; boundary=xyz"
local head = "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n"

local files = {
	["handlers/run.lua"] = [[
return { limits = { body = math.huge }, POST = function(request, response)
	for part in request:multipart() do
		local value = assert(load("local part, request = ... " .. request.headers["x-run"], "=run"))(part, request)
		if value ~= nil then return 200, tostring(value) end
	end
end }]],
	["handlers/save.lua"] = [[
		local log = require("tidegate.log")
		return { limits = { body = math.huge }, POST = function(request)
			local out = {}
			for part in request:multipart({ size = tonumber(request.query.size) }) do
				log.info("saving")
				local size, message, code = part:save(request.query.at .. "/" .. part.name)
				out[#out + 1] = size and part.name .. "=" .. size or message .. " " .. code
			end
			return table.concat(out, "\n")
		end }]],
	["handlers/count.lua"] = [[
		return { limits = { body = math.huge }, POST = function(request)
			local size, largest = 0, 0
			for part in request:multipart() do
				for piece in part:chunks() do size, largest = size + #piece, math.max(largest, #piece) end
			end
			return size .. " " .. tostring(largest <= 65536)
		end }]],
	["handlers/slow.lua"] = [[
		local log = require("tidegate.log")
		local shared = require("tidegate.shared").open("gate")
		local timer = require("tidegate.timer")
		return { limits = { body = math.huge },
			GET = function() shared:set("open", true) return 204 end,
			POST = function(request)
				local size = 0
				for part in request:multipart() do
					for piece in part:chunks() do
						if size == 0 then
							log.info("has a piece")
							while not shared:get("open") do timer.sleep(0.01) end
						end
						size = size + #piece
					end
				end
				return tostring(size)
			end }]],
}

local function form(disposition, content)
	return ("--xyz\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n--xyz--\r\n"):format(disposition, content)
end

describe("a part", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	local function run(code, content)
		return connection:fetch("POST", "/run", { type, "X-Run: " .. code }, content).body
	end

	local filenames = {
		{ "b.txt", "b.txt" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\dir\\x.txt", "x.txt" },
		{ "/", nil },
		{ "..", nil },
		{ "...hidden", "hidden" },
		{ "", nil },
		{ "a%22b%0D%0Ac.txt", 'a"bc.txt', 'a"b\r\nc.txt' },
		{ "tide \195\188.txt", "tide \195\188.txt" },
		{ "tab\tin it", "tabin it" },
		{ ("x"):rep(255), ("x"):rep(255) },
		{ ("x"):rep(256), nil },
	}
	for _, case in ipairs(filenames) do
		local sent, safe, plain = case[1], case[2], case[3] or case[1]
		it(("sent as %q has the safe name %q"):format(sent, tostring(safe)), function()
			local content = form(('name=a; filename="%s"'):format(sent), "x")
			assert.equal(plain, run("return part.filename", content))
			assert.equal(tostring(safe), run("return tostring(part.safe_name)", content))
		end)
	end

	it("has its fields, names in lower case", function()
		local content = "--xyz\r\nX-Tide: high\r\nContent-Disposition: form-data; name=a\r\nContent-Type:  text/css; charset=utf-8 \r\nx-tide: low"
			.. "\r\n\r\n\r\n--xyz--"
		assert.equal("high", run("return part.headers['x-tide']", content))
		assert.equal("form-data; name=a", run("return part.headers['content-disposition']", content))
		assert.equal("text/css; charset=utf-8", run("return part.type", content))
		assert.equal("nilnil", run("return tostring(part.filename) .. tostring(part.safe_name)", content))
	end)

	it("keeps its text", function()
		local content = form("name=a", "tide")
		assert.equal("tidetide", run("return part:text() .. part:text()", content))
		assert.equal("tidetide", run("local text = part:text() for piece in part:chunks() do text = text .. piece end return text", content))
		assert.equal("none", run("part:text() for _ in part:chunks() do return 'some' end return 'none'", form("name=a", "")))
		assert.equal("4tide", run("part:text() local path = os.tmpname() local size = part:save(path) local file = io.open(path) "
			.. "os.remove(path) return size .. file:read('a')", content))
	end)

	it("has no more pieces after the last", function()
		assert.equal("tidenilnil", run("local piece, state = part:chunks() return piece(state) .. tostring(piece(state)) .. tostring(piece(state))",
			form("name=a", "tide")))
		assert.equal("nil", run("local piece, state = part:chunks() return tostring(piece(state))", form("name=a", "")))
	end)

	it("is read within pcall and coroutine.wrap", function()
		local code = "return select(2, pcall(coroutine.wrap(function() return part:text() end)))"
		connection:ask("POST", "/run", { type, "X-Run: " .. code, "Content-Length: " .. #head + #"tide\r\n--xyz--" })
		connection:send(head, "ti"):send("de\r\n--xyz--")
		assert.equal("tide", connection:response().body)
	end)

	it("is asked for with 100 Continue", function()
		connection:ask("POST", "/run", { type, "X-Run: return part:text()", "Expect: 100-continue", "Content-Length: " .. #head + #"tide\r\n--xyz--" })
		assert.equal(100, connection:head().status)
		connection:send(head, "tide\r\n--xyz--")
		assert.equal("tide", connection:response().body)
	end)
end)

describe("part:save()", function()
	local gateway, connection, folder
	around({ files = files }, function(g, c)
		gateway, connection = g, c
		folder = gateway.project.path .. "/saved"
		os.execute("rm -rf " .. folder .. " && mkdir " .. folder)
	end)

	local function listing()
		local pipe = io.popen("ls -A " .. folder)
		local text = pipe:read("a")
		pipe:close()
		return text
	end

	local function await_listing(pattern)
		program.await(function() return pattern .. "; there is " .. listing() end, function() return listing():find(pattern) end)
	end

	-- A client in the middle of a part whose file is begun.
	local function begin(query)
		local before = #gateway:log()
		connection:send("POST /save?at=", folder, query or "", " HTTP/1.1\r\nHost: a\r\n", type,
			"\r\nContent-Length: 100000\r\n\r\n", head, "half of it")
		gateway:wait_log("saving", before)
		await_listing("%.a%.%x+\n")
	end

	it("keeps what curl uploads, byte for byte", function()
		for i, size in ipairs({ 0, 1, 70000, 3000000 }) do
			os.execute(("head -c %d /dev/urandom > %s.%d"):format(size, folder, i))
		end
		local pipe = io.popen(("curl -sS -F x=1 -F '1=@%s.1' -F '2=@%s.2;filename=a\"b.bin' -F '3=@%s.3;type=image/png' -F '4=@%s.4' "
			.. "'http://127.0.0.1:%d/save?at=%s'"):format(folder, folder, folder, folder, gateway.port, folder))
		assert.equal("x=1\n1=0\n2=1\n3=70000\n4=3000000", pipe:read("a"))
		pipe:close()
		for i = 1, 4 do
			assert.is_true(os.execute(("cmp %s.%d %s/%d"):format(folder, i, folder, i)))
		end
		assert.equal("1\n2\n3\n4\nx\n", listing())
	end)

	it("replaces a file at once", function()
		os.execute("echo before > " .. folder .. "/a")
		begin()
		assert.is_true(os.execute(("test \"$(cat %s/a)\" = before"):format(folder)))
		connection:send(("x"):rep(100000 - #head - #"half of it" - #"\r\n--xyz--"), "\r\n--xyz--")
		assert.equal("a=" .. 100000 - #head - #"\r\n--xyz--", connection:response().body)
		assert.equal("a\n", listing())
	end)

	it("leaves nothing when the client leaves", function()
		begin()
		connection:close()
		await_listing("^$")
		connection = gateway:connect()
	end)

	it("leaves nothing of content that turns out malformed", function()
		begin()
		connection:send("\r\n--xyz?")
		assert.equal(400, connection:response().status)
		assert.equal("", listing())
	end)

	it("leaves nothing of a part that turns out too large", function()
		begin("&size=1000")
		connection:send(("x"):rep(1001))
		assert.equal(413, connection:response().status)
		assert.equal("", listing())
	end)

	it("says why it cannot", function()
		local response = connection:fetch("POST", "/save?at=/nowhere", { type }, form("name=a", "1"))
		assert.equal("/nowhere/a: No such file or directory ENOENT", response.body)
	end)

	it("saves below the project's folder unless the path begins with a slash", function()
		local response = connection:fetch("POST", "/save?at=saved", { type }, form("name=a", "tide"))
		assert.equal("a=4", response.body)
		assert.equal("a\n", listing())
	end)

	it("does not replace a folder, and leaves nothing beside it", function()
		os.execute("mkdir -p " .. folder .. "/a/b")
		local body = connection:fetch("POST", "/save?at=" .. folder, { type }, form("name=a", "1")).body
		assert.matches("/a: Is a directory EISDIR$", body)
		assert.equal("a\n", listing())
	end)

	it("may be tried again elsewhere when the file cannot be made", function()
		local code = ("part:save('/nowhere/a') return part:save('%s/a')"):format(folder)
		assert.equal("4", connection:fetch("POST", "/run", { type, "X-Run: " .. code }, form("name=a", "tide")).body)
	end)

	it("replaces no pipe, socket or device", function()
		os.execute("mkfifo " .. folder .. "/a")
		local body = connection:fetch("POST", "/save?at=" .. folder, { type }, form("name=a", "1")).body
		assert.matches("/a: File exists EEXIST$", body)
		assert.is_true(os.execute(("test -p %s/a"):format(folder)))
	end)

	it("that failed leaves the next part to be read", function()
		local code = "if part.name == 'b' then return part:text() end assert(not part:save('/nowhere/a'))"
		local content = head .. ("x"):rep(200000) .. "\r\n" .. form("name=b", "tide")
		assert.equal("tide", connection:fetch("POST", "/run", { type, "X-Run: " .. code }, content).body)
	end)
end)

describe("a gateway that stops", function()
	it("leaves nothing of a part that is being saved", function()
		local gateway = server.start({ files = files, flags = { "--drain-timeout", "0.2" } })
		local folder = gateway.project.path .. "/saved"
		os.execute("mkdir " .. folder)
		local connection = gateway:connect()
		connection:send("POST /save?at=", folder, " HTTP/1.1\r\nHost: a\r\n", type, "\r\nContent-Length: 100000\r\n\r\n", head, "half")
		program.await("a file", function() return os.execute(("test -n \"$(ls -A %s)\""):format(folder)) end)
		gateway.keep_project = true
		gateway:stop()
		assert.is_true(os.execute(("test -z \"$(ls -A %s)\""):format(folder)))
		gateway.project:delete()
		connection:close()
	end)
end)

describe("a large upload", function()
	local gateway
	before_each(function()
		gateway = server.start({ files = files })
	end)
	after_each(function()
		gateway:stop()
	end)

	-- Sends 64 MiB in one part, looking at the memory meanwhile.
	local function upload(target, header)
		local connection = gateway:connect()
		local piece, count = ("tide\r\n--xy"):rep(6554), 1024
		local size = #head + count * #piece + #"\r\n--xyz--"
		connection:send("POST ", target, " HTTP/1.1\r\nHost: a\r\n", header or "X: y", "\r\n", type,
			"\r\nContent-Length: ", tostring(size), "\r\n\r\n", head)
		local most, before = 0, nil
		for i = 1, count do
			connection:send(piece)
			if i % 64 == 0 then
				before = before or gateway:resident()
				most = math.max(most, gateway:resident())
			end
		end
		local body = connection:send("\r\n--xyz--"):response().body
		connection:close()
		assert.is_true(not program.measures_memory or most < before + 8 * 2 ^ 20, ("%.1f MiB"):format((most - before) / 2 ^ 20))
		return body, count * #piece
	end

	it("takes constant memory while it is read", function()
		local body, size = upload("/count")
		assert.equal(size .. " true", body)
	end)

	it("takes constant memory while it is saved", function()
		local body, size = upload("/save?at=" .. gateway.project.path)
		assert.equal("a=" .. size, body)
	end)

	it("takes constant memory while it is skipped", function()
		assert.equal("", (upload("/run", "X-Run: return nil")))
	end)

	it("waits for a slow handler", function()
		local connection = gateway:connect()
		local piece = ("x"):rep(65536)
		connection:send("POST /slow HTTP/1.1\r\nHost: a\r\n", type, "\r\nContent-Length: ", tostring(#head + 512 * #piece + 9), "\r\n\r\n", head)
		connection:send(piece)
		gateway:wait_log("has a piece")
		local before, sent = gateway:resident(), #piece
		connection.stream:settimeout(0.2)
		repeat
			local last, why, partial = connection.stream:send(piece)
			sent = sent + (last or partial)
		until why
		assert.is_true(sent < 32 * 2 ^ 20, "nothing held the client back")
		assert.is_true(not program.measures_memory or gateway:resident() < before + 4 * 2 ^ 20)
		assert.equal(204, gateway:get("/slow").status)
		connection.stream:settimeout(program.patience)
		connection:send(("x"):rep(512 * #piece - sent), "\r\n--xyz--")
		assert.equal(tostring(512 * #piece), connection:response().body)
		connection:close()
	end)
end)
