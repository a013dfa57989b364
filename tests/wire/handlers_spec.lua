-- The examples in handlers/: each does what the curl in its comment shows.

local socket = require("socket")

local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

-- By file: what each of its commands prints, as a pattern.
local expected = {
	["echo.lua"] = { '^{.*"you_sent":{"n":9007199254740993}.*}$' },
	["files/{path...}.lua"] = { "^The tide comes in, the tide goes out again%.\n$", "^The tide$" },
	["headers.lua"] = { '^{.*"tags":%["a","b"%].*}$' },
	["hello.lua"] = { "^hello Ada\n$" },
	["index.lua"] = { "^Tidegate %d+%.%d+%.%d+, generation 1: edit a file in handlers/, then reload%.\n$" },
	["news.lua"] = { '^{"heard":0}$' },
	["private/report.lua"] = { '^{"secret":"the tide turns at noon"}$' },
	["redis.lua"] = { '^{.*"detail":"there is no redis.sock here".*}\n$' },
	["greet/{name}.lua"] = { "^hello, Ada\n$" },
	["resolve.lua"] = { '^{"addresses":%["127.0.0.1"%],"ttl":0}$' },
	["rpc.lua"] = { '^{"jsonrpc":"2.0","result":5,"id":1}$' },
	["signals.lua"] = { '^{"winch":0}$' },
	["stream.lua"] = { "^line 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\nline 9\nline 10\n$" },
	["ticks.lua"] = { '^{.*"ticks":%d+.*}$' },
	["form.lua"] = { '"file":{"bytes":%d+,"filename":"readme"}' },
	["together.lua"] = { '^{"tide":"high","wind":"west"}$' },
	["upload.lua"] = { '^{.*"bytes":1000000.*}$' },
	["weather.lua"] = { '^{"greeting":"hello tide\\n","wind":"west"}$' },
	["users/{id:int}.lua"] = { "^$", '^{"name":"Ada"}$' },
}

local function lines_of(command)
	local pipe = assert(io.popen(command))
	local list = {}
	for line in pipe:lines() do
		list[#list + 1] = line
	end
	pipe:close()
	return list
end

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

-- The commands in the comment that a file begins with.
local function commands_of(text)
	local list = {}
	for line in text:gmatch("([^\n]*)\n") do
		if not line:find("^%-%-") then
			break
		end
		list[#list + 1] = line:match("^%-%-     (.*curl .*)$")
	end
	return list
end

describe("handlers/", function()
	local gateway

	setup(function()
		local project = projects.new()
		assert(os.execute("cp -r handlers " .. projects.quote(project.path)))
		gateway = server.start({ project = project, threads = 2 })
	end)

	teardown(function()
		gateway:stop()
		gateway.project:delete()
	end)

	-- Runs a command of a comment; returns what it prints.
	local function run(command)
		local line, count = command:gsub("http://127%.0%.0%.1:8080/", ("http://127.0.0.1:%d/"):format(gateway.port))
		assert.equal(1, count)
		local pipe = assert(io.popen(line:gsub("curl ", "curl -sS --max-time 60 ") .. "; echo $?"))
		local output, code = pipe:read("a"):match("^(.*)%f[%d](%d+)\n$")
		pipe:close()
		assert.equal("0", code)
		return output
	end

	local found = {}
	for _, path in ipairs(lines_of("find handlers -name '*.lua' | sort")) do
		local name = path:match("^handlers/(.*)$")
		local text = read(path)
		found[name] = true

		it(path .. " is under 30 lines", function()
			assert.is_true(select(2, text:gsub("\n", "")) < 30)
		end)

		it(path .. " begins with a comment", function()
			assert.match("^%-%- %u[^\n]*%.\n", text)
		end)

		if not name:find("_middleware%.lua$") then
			it(path .. " does what its comment shows", function()
				local commands = commands_of(text)
				assert(expected[name], "this spec expects nothing of " .. name)
				assert.equal(#expected[name], #commands)
				for i, command in ipairs(commands) do
					assert.match(expected[name][i], run(command))
				end
			end)
		end
	end

	it("has every example this spec knows", function()
		for name in pairs(expected) do
			assert.is_true(found[name], name)
		end
	end)

	it("echo.lua answers what is not JSON with 400", function()
		assert.equal(400, gateway:fetch("POST", "/echo", nil, "{").status)
		assert.equal(405, gateway:get("/echo").status)
	end)

	it("headers.lua adds two fields of one name, in order", function()
		assert.equal("one, two", gateway:get("/headers").headers["x-seen"])
	end)

	it("hello.lua greets the world without a name", function()
		assert.equal("hello world\n", gateway:get("/hello").body)
		assert.equal("hello world\n", gateway:fetch("POST", "/hello", nil, "x").body)
	end)

	it("news.lua tells all who wait", function()
		local clients = {}
		for i = 1, 5 do
			clients[i] = gateway:connect()
			clients[i]:ask("GET", "/news")
		end
		local heard, told = 0, 0
		program.await("all to hear", function()
			heard = heard + tonumber(gateway:fetch("POST", "/news", nil, "high tide").body:match("%d+"))
			return heard == #clients
		end)
		for _, client in ipairs(clients) do
			told = told + (client:response().body == "high tide" and 1 or 0)
			client:close()
		end
		assert.equal(#clients, told)
	end)

	it("private/ is closed without the key", function()
		local refused = gateway:get("/private/report")
		assert.equal(403, refused.status)
		assert.not_match("noon", refused.body)
		assert.equal(403, gateway:get("/private/report", { "x-key: open" }).status)
		assert.equal("no-store", gateway:get("/private/report", { "x-key: sesame" }).headers["cache-control"])
	end)

	it("stream.lua sends its lines as they come", function()
		local began = socket.gettime()
		assert.equal(10, gateway:get("/stream").chunks)
		assert.is_true(socket.gettime() - began > 0.9)
	end)

	it("ticks.lua counts", function()
		program.await("two ticks", function()
			return tonumber(gateway:get("/ticks").body:match('"ticks":(%d+)')) >= 2
		end)
	end)

	it("upload.lua takes more than others do", function()
		local body = ("x"):rep(12 * 1024 * 1024)
		assert.match('"bytes":12582912', gateway:fetch("POST", "/upload", nil, body).body)
		assert.equal(413, gateway:fetch("POST", "/echo", nil, body).status)
	end)

	it("users/{id:int}.lua keeps users, until they are deleted", function()
		assert.equal(404, gateway:get("/users/8").status)
		assert.equal(404, gateway:get("/users/eight").status)
		assert.equal(204, gateway:fetch("PUT", "/users/8", nil, '{"name":"Bo"}').status)
		assert.equal('{"name":"Bo"}', gateway:get("/users/8").body)
		assert.equal(204, gateway:fetch("DELETE", "/users/8").status)
		assert.equal(404, gateway:fetch("DELETE", "/users/8").status)
		assert.equal(404, gateway:get("/users/8").status)
	end)
end)
