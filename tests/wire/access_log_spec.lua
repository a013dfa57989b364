local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local files = {
	["handlers/hello.lua"] = "return function() return 'hi' end",
	["handlers/users/{id:int}.lua"] = "return { GET = function(request) return { id = request.params.id } end }",
	["handlers/id.lua"] = "return function(request) return request.id end",
	["handlers/broken.lua"] = "return function() error('no tide') end",
	["handlers/text.lua"] = "return { POST = function(request) return 201, request:text() end }",
	["handlers/stream.lua"] = [[
return function(_, response)
	for _ = 1, 3 do response:write("12345") response:flush() end
end]],
}

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

-- The fields of a record, which must have exactly this form.
local function parse(line)
	local record = {}
	record.time, record.remote, record.method, record.target, record.route, record.status, record.bytes, record.ms,
		record.request = line:match(
		'^{"time":"(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ)","remote":"([^"]*)","method":"(%u+)",'
			.. '"target":"([^"]*)","route":"([^"]*)","status":(%d+),"bytes":(%d+),"ms":(%d+%.%d%d%d),"request":"(%x+)"}$')
	assert(record.time, "not a record: " .. line)
	return record
end

describe("--access-log FILE", function()
	local project, path, gateway

	before_each(function()
		project = projects.new(files)
		path = project.path .. "/access.log"
	end)

	after_each(function()
		project:delete()
	end)

	local function start(flags, threads)
		flags = flags or {}
		table.move({ "--access-log", path }, 1, 2, #flags + 1, flags)
		gateway = server.start({ project = project, flags = flags, threads = threads })
	end

	-- Stops the gateway; returns its records.
	local function records()
		gateway:stop()
		local list = {}
		for line in read(path):gmatch("([^\n]*)\n") do
			list[#list + 1] = parse(line)
		end
		return list
	end

	-- What a record says, without its time, its duration and its request.
	local function brief(record)
		return table.concat(
			{ record.remote, record.method, record.target, record.route, record.status, record.bytes }, " ")
	end

	it("writes what was asked and what was answered", function()
		start()
		local response = gateway:get("/users/7?full=1")
		assert.equal(200, response.status)
		local list = records()
		assert.equal(1, #list)
		assert.equal(("127.0.0.1 GET /users/7?full=1 /users/{id:int} 200 %d"):format(#response.body), brief(list[1]))
	end)

	local requests = {
		{ "HEAD /hello /hello 200 0", "HEAD", "/hello" },
		{ "DELETE /users/7 /users/{id:int} 405 %d", "DELETE", "/users/7" },
		{ "OPTIONS /users/7 /users/{id:int} 204 0", "OPTIONS", "/users/7" },
		{ "GET /nowhere  404 %d", "GET", "/nowhere" },
		{ "GET /broken /broken 500 %d", "GET", "/broken" },
		{ "POST /text /text 201 5", "POST", "/text", "tides" },
		{ "GET /stream /stream 200 15", "GET", "/stream" },
		{ "GET /a%2fb?%22  404 %d", "GET", "/a%2fb?%22" },
		{ "PURGE /hello /hello 200 2", "PURGE", "/hello" },
	}
	for _, case in ipairs(requests) do
		local expected, method, target, body = table.unpack(case)
		it(("writes a record of %s %s"):format(method, target), function()
			start()
			local response = gateway:fetch(method, target, nil, body)
			local list = records()
			assert.equal(1, #list)
			local form = expected:gsub("%%([^d])", "%%%%%1")
			assert.equal("127.0.0.1 " .. form:format(#response.body), brief(list[1]))
		end)
	end

	it("writes a record for each request of a connection, in order", function()
		start()
		local connection, ids = gateway:connect(), {}
		for i = 1, 20 do
			ids[i] = connection:fetch("GET", "/id?" .. i).body
		end
		connection:close()
		local list = records()
		assert.equal(20, #list)
		for i, record in ipairs(list) do
			assert.equal("/id?" .. i, record.target)
			assert.equal(ids[i], record.request)
			assert.is_true(i == 1 or record.request ~= list[i - 1].request)
			assert.is_true(i == 1 or record.time >= list[i - 1].time)
		end
	end)

	it("measures from the complete head to the end", function()
		project:write("handlers/sleep.lua", [[
local timer = require("tidegate.timer")
return function() timer.sleep(0.1) end]])
		start()
		assert.equal(204, gateway:get("/sleep").status)
		local ms = tonumber(records()[1].ms)
		assert.is_true(ms >= 99, ms)
	end)

	it("is written while the gateway serves", function()
		start()
		gateway:get("/hello")
		program.await("a record", function()
			return read(path):find("\n", 1, true)
		end)
		assert.equal(1, #records())
	end)

	it("has the requests that a stop has waited for", function()
		start()
		local connection = gateway:connect()
		connection:ask("POST", "/text", { "Content-Length: 5", "Expect: 100-continue" })
		assert.equal(100, connection:response().status)
		gateway:signal("TERM")
		assert.equal(201, connection:send("tides"):response().status)
		connection:close()
		gateway:ended()
		assert.equal("127.0.0.1 POST /text /text 201 5", brief(parse(read(path):match("^([^\n]*)\n$"))))
	end)

	it("has whole records from all threads #threads", function()
		start(nil, 3)
		local seen = {}
		for i = 1, 100 do
			gateway:get("/hello?" .. i)
		end
		local list = records()
		assert.equal(100, #list)
		for _, record in ipairs(list) do
			seen[record.target] = true
		end
		for i = 1, 100 do
			assert.is_true(seen["/hello?" .. i])
		end
	end)

	it("is added to", function()
		for i = 1, 2 do
			start()
			gateway:get("/hello")
			assert.equal(i, #records())
		end
	end)

	it("is not for everyone to read", function()
		start()
		gateway:stop()
		local pipe = io.popen("stat -c %a " .. projects.quote(path))
		assert.equal("640", pipe:read("l"))
		pipe:close()
	end)

	it("lets nobody forge a record", function()
		start()
		local connection = gateway:connect()
		connection:send('GET /"},{\\ HTTP/1.1\r\nHost: x\r\n\r\nGET /x\rGET /y HTTP/1.1\r\nHost: x\r\n\r\n')
		connection:finish():rest()
		connection:close()
		gateway:stop()
		local decode = require("dkjson").decode
		for line in read(path):gmatch("([^\n]*)\n") do
			local record, after = decode(line)
			assert.is_table(record, line)
			assert.equal(#line + 1, after)
			assert.not_equal("/y", record.target)
		end
	end)

	it("is in text with --log-format text", function()
		start({ "--log-format", "text" })
		gateway:get("/hello")
		gateway:signal("TERM")
		assert.equal(0, gateway:wait())
		assert.match('^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ "127%.0%.0%.1" "GET" "/hello" "/hello" 200 2 '
			.. "%d+%.%d%d%dms\n$", read(path))
	end)

	it("survives a disk that is full", function()
		local full = io.open("/dev/full", "a")
		if not full then
			return pending("/dev/full is not here")
		end
		full:close()
		path = "/dev/full"
		start()
		assert.equal("hi", gateway:get("/hello").body)
		gateway:stop()
	end)
end)

describe("--access-log", function()
	it("- writes to standard output", function()
		local project = projects.new(files)
		local path = project.path .. "/http.sock"
		local errors = project.path .. "/errors"
		local pipe = assert(io.popen(("%s serve %s --threads 1 --listen unix:%s --access-log - 2>%s; echo $?"):format(
			projects.quote(program.path), project.path, path, errors)))
		program.await("a listener", function()
			local file = io.open(errors)
			local text = file and file:read("a") or ""
			if file then file:close() end
			return text:find("listening on", 1, true)
		end)
		local connection = require("tests.support.client").connect(path)
		assert.equal("hi", connection:fetch("GET", "/hello").body)
		connection:close()
		assert.equal(0, select(3, program.run("stop", project.path)))
		local line, code = pipe:read("a"):match("^([^\n]*)\n(%d+)\n$")
		pipe:close()
		local record = parse(line)
		assert.same({ "", "/hello", "200", "0" }, { record.remote, record.target, record.status, code })
		assert.not_match('"target"', read(errors))
		project:delete()
	end)

	it("off writes nothing, and no file of that name", function()
		local gateway = server.start({ files = files, flags = { "--access-log", "off" } })
		gateway:get("/hello")
		local path = gateway.project.path
		gateway.keep_project = true
		assert.not_match('"target"', gateway:stop())
		assert.is_nil((io.open(path .. "/off")))
		assert.is_nil((io.open("off")))
		gateway.project:delete()
	end)
end)
