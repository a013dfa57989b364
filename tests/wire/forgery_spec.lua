-- What a client sends never makes, ends or alters a record of a log.

local decode = require("dkjson").decode

local projects = require("tests.support.project")
local server = require("tests.support.server")

-- Line ends, quotes, an escape sequence, C1 controls, NUL, no UTF-8.
local nasty = '"},{\\" \r\n{"level":"error","msg":"forged"}\n00:00:00.000 error forged request="x"\r\27[2J\0\xc2\x9b\x9b\xff\x7f'

local files = {
	["handlers/message.lua"] = [[
local log = require("tidegate.log")
return { POST = function(request) log.info(request:text()) return 204 end }]],
	["handlers/value.lua"] = [[
local log = require("tidegate.log")
return { POST = function(request) log.info("said", { by = request:text() }) return 204 end }]],
	["handlers/name.lua"] = [[
local log = require("tidegate.log")
return { POST = function(request) log.info("said", { [request:text()] = "v" }) return 204 end }]],
	["handlers/query.lua"] = [[
local log = require("tidegate.log")
return function(request) log.info("asked", request.query) return 204 end]],
	["handlers/print.lua"] = "return { POST = function(request) print(request:text()) return 204 end }",
	["handlers/raise.lua"] = "return { POST = function(request) error(request:text()) end }",
	["handlers/late.lua"] = [[
return { POST = function(request, response)
	local text = request:text()
	response:finish()
	error(text)
end }]],
	["handlers/all.lua"] = [[
local log = require("tidegate.log")
return function(request)
	log.info("all", {
		host = request.host, agent = request.headers["user-agent"], referer = request.headers.referer,
		path = request.path, target = request.target, method = request.method, query = request.query.q,
	})
	return 204
end]],
}

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

-- Serves `use` a gateway; returns the log and the access log.
local function logs_of(format, use)
	local project = projects.new(files)
	local path = project.path .. "/access.log"
	local gateway = server.start({ project = project, flags = {
		"--log-format", format, "--access-log", path, "--trusted-proxies", "loopback", "--request-id-header", "x-id",
	} })
	use(gateway)
	gateway:signal("TERM")
	assert.equal(0, gateway:wait())
	local access = read(path)
	project:delete()
	return gateway.last_log:match("\nANY  .-\n(%f[{%d].*)$") or gateway.last_log, access
end

local function records(text)
	local list = {}
	for line in text:gmatch("([^\n]*)\n") do
		local record, after = decode(line)
		assert.is_table(record, line)
		assert.equal(#line + 1, after, line)
		list[#list + 1] = record
	end
	return list
end

-- No byte that moves a cursor, and nothing that is not UTF-8.
local function check_bytes(text)
	assert.is_nil(text:find("[\0-\8\11-\31\127]"), text)
	assert.is_nil(text:find("\xc2[\x80-\x9f]"), text)
	assert.is_truthy(utf8.len(text), text)
end

local posts = { "message", "value", "name", "print", "raise", "late" }

local function post_all(gateway)
	for _, name in ipairs(posts) do
		gateway:fetch("POST", "/" .. name, nil, nasty)
	end
end

describe("the log in JSON", function()
	it("has a record for each that was written, whatever clients send", function()
		local text = logs_of("json", post_all)
		check_bytes(text)
		local list = records(text)
		assert.equal(#posts + 1, #list, text) -- and the one of the stop
		for _, record in ipairs(list) do
			assert.not_equal("forged", record.msg)
		end
		assert.equal("info", list[1].level)
		assert.equal("error", list[5].level)
		assert.is_truthy(list[5].msg:find('{"level":"error","msg":"forged"}\n', 1, true))
	end)

	it("keeps its own fields when a client names some", function()
		local names = { "time", "level", "msg", "request", "route", "generation" }
		local text = logs_of("json", function(gateway)
			gateway:get("/query?" .. table.concat(names, "=forged&") .. "=forged", { "X-Id: true-one" })
		end)
		local record = records(text)[1]
		assert.equal("asked", record.msg)
		assert.equal("true-one", record.request)
		for _, name in ipairs(names) do
			local _, count = text:match("^[^\n]*"):gsub('"' .. name .. '":', "")
			assert.equal(1, count, name)
			assert.equal("forged", record["_" .. name])
		end
	end)

	it("escapes what heads carry", function()
		local text = logs_of("json", function(gateway)
			gateway:get('/all?q=%0A%22%1B%00&"\\', { 'User-Agent: a"b\\c\xff\xc2\x9b', "Referer: x\ty\xe2\x82", "X-Id: a\"b" })
		end)
		check_bytes(text)
		local record = records(text)[1]
		assert.equal("all", record.msg)
		assert.equal('\n"\27\0', record.query)
		assert.equal('/all?q=%0A%22%1B%00&"\\', record.target)
		assert.match("^%x+$", record.request)
	end)
end)

describe("the log in text", function()
	it("begins lines only with records, whatever clients send", function()
		local text = logs_of("text", post_all)
		check_bytes(text)
		local count = 0
		for line in text:gmatch("([^\n]*)\n") do
			if line:find("^%S") then
				assert.match("^%d%d:%d%d:%d%d%.%d%d%d %l+ ", line)
				assert.is_nil(line:find("^00:00:00.000"))
				count = count + 1
			end
		end
		assert.equal(#posts + 1, count, text)
	end)

	it("does not pass a message for a field", function()
		local text = logs_of("text", function(gateway)
			gateway:fetch("POST", "/message", { "X-Id: true-one" }, 'x request="forged" route="/admin"')
		end)
		assert.match('x request=\\"forged" route=\\"/admin" request="true%-one" route="/message"', text)
	end)
end)

describe("the access log", function()
	local function ask(gateway)
		local connection = gateway:connect()
		connection:send('GET /"},{\\\' HTTP/1.1\r\nHost: x\r\nX-Id: a"b\r\nX-Forwarded-For: "\r\n\r\n')
		connection:response()
		connection:send("G'|~ET /all HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\x80\xff, \"\\, 192.0.2.1\r\n\r\n")
		connection:response()
		connection:send("GET /x\rGET /forged HTTP/1.1\r\nHost: x\r\n\r\n")
		connection:response()
		connection:close()
		for _, target in ipairs({ "/\0", "/\27[2J", "/\xff", "/\xc2\x9b", "/a\nb" }) do
			local other = gateway:connect():send("GET ", target, " HTTP/1.1\r\nHost: x\r\n\r\n")
			assert.equal(400, other:response().status)
			other:close()
		end
	end

	it("has a record for each request in JSON", function()
		local _, text = logs_of("json", ask)
		check_bytes(text)
		local list = records(text)
		assert.equal(8, #list)
		assert.equal('/"},{\\\'', list[1].target)
		assert.equal("127.0.0.1", list[1].remote)
		assert.match("^%x+$", list[1].request)
		assert.equal("192.0.2.1", list[2].remote)
		assert.equal("G'|~ET", list[2].method)
		for i = 3, 8 do
			assert.equal("", list[i].target)
		end
	end)

	it("has a line of eight words for each request in text", function()
		local _, text = logs_of("text", ask)
		check_bytes(text)
		local count = 0
		for line in text:gmatch("([^\n]*)\n") do
			local rest = line:gsub("\\.", "")
			assert.match('^%d+%-%d%d%-%d%dT[%d:.]+Z "[%x.:]*" "[^"]*" "[^"]*" "[^"]*" %d+ %d+ [%d.]+ms$', rest)
			count = count + 1
		end
		assert.equal(8, count)
	end)
end)
