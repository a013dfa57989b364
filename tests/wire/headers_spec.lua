local around = require("tests.support.around")
local server = require("tests.support.server")

local run = [[
return function(request, response)
	local code = "local request, response = ... local headers, sent = request.headers, response.headers " .. request:text()
	return assert(load(code, "=run"))(request, response)
end
]]

describe("headers", function()
	local gateway, connection

	around({ files = { ["handlers/run.lua"] = run } }, function(...)
		gateway, connection = ...
	end)

	local function post(code, headers)
		return connection:fetch("POST", "/run", headers, code)
	end

	-- The fields of a response whose names begin with "X-", in their order.
	local function own(response)
		local list = {}
		for _, field in ipairs(response.list) do
			if field[1]:find("^x%-") then
				list[#list + 1] = field[1] .. "=" .. field[2]
			end
		end
		return table.concat(list, " ")
	end

	describe("of a request", function()
		local cases = {
			{ "are read without regard to case", "return headers['x-one'] .. headers['X-ONE']", "aa" },
			{ "give the first of several values", "return headers['x-two']", "b" },
			{ "give nil for a missing name", "return tostring(headers['x-none'])", "nil" },
			{ "list all values of a name", "return table.concat(headers:all('X-Two'), '|')", "b|c, d" },
			{ "list nothing for a missing name", "return tostring(#headers:all('x-none'))", "0" },
			{ "are counted", "return tostring(#headers)", "7" },
			{ "may be empty", "return headers['x-empty'] .. '.'", "." },
			{ "have no white space around their values", "return '<' .. headers['x-spaces'] .. '>'", "<a \t b>" },
			{ "keep bytes beyond ASCII", "return headers['x-bytes']", "\u{fc}\xff" },
		}
		local sent = { "X-One: a", "x-two: b", "X-Empty:", "X-TWO: c, d", "X-Spaces: \t a \t b  ", "X-Bytes: \u{fc}\xff" }
		for _, case in ipairs(cases) do
			local what, code, expected = table.unpack(case)
			it(what, function()
				local headers = table.move(sent, 1, #sent, 1, {})
				if what == "are counted" then
					headers = { "X-A: 1", "X-B: 2", "X-A: 3", "X-C: 4", "X-D: 5" } -- and Host, Content-Length
				end
				assert.equal(expected, post(code, headers).body)
			end)
		end

		it("come in their order, with their names as they were sent", function()
			local code = "local list = {} for name, value in pairs(headers) do list[#list + 1] = name .. '=' .. value end "
				.. "return table.concat(list, ' ')"
			assert.equal("Host=test X-b=1 x-A=2 X-B=3 Content-Length=" .. #code, post(code, { "X-b: 1", "x-A: 2", "X-B: 3" }).body)
		end)

		it("can be written for those who read them later", function()
			assert.equal("b", post("request.headers['x-a'] = 'b' return request.headers['X-A']").body)
			assert.equal("nil", post("headers['X-A'] = nil return tostring(request.headers['x-a'])", { "X-A: b" }).body)
		end)

		it("stay removed when all of them are", function()
			local code = "headers.host = nil headers['content-length'] = nil return #headers .. tostring(headers.host)"
			assert.equal("0nil", post(code).body)
		end)

		it("are not sent back", function()
			assert.equal("", own(post("headers['x-a'] = 'b' return 'x'")))
		end)

		it("may be many", function()
			local lines = {}
			for i = 1, 90 do
				lines[i] = ("X-%d: %d"):format(i, i)
			end
			assert.equal("90 92", post("return headers['x-90'] .. ' ' .. #headers", lines).body)
		end)
	end)

	describe("of a response", function()
		local cases = {
			{ "take a string", "sent['x-a'] = 'b'", "x-a=b" },
			{ "take a number", "sent['x-a'] = 7 sent['x-b'] = 1.5", "x-a=7 x-b=1.5" },
			{ "take a list", "sent['x-a'] = { 'b', 2 }", "x-a=b x-a=2" },
			{ "take an empty list as none", "sent['x-a'] = 1 sent['x-a'] = {}", "" },
			{ "replace all values", "sent['x-a'] = { 1, 2 } sent['X-A'] = 3", "x-a=3" },
			{ "are removed by nil", "sent['x-a'] = { 1, 2 } sent['x-b'] = 3 sent['x-a'] = nil", "x-b=3" },
			{ "may be removed when they are not there", "sent['x-a'] = nil", "" },
			{ "can be added", "sent['x-a'] = 1 sent['x-b'] = 2 sent:add('X-A', 3) sent:add('x-c', 'd')", "x-a=1 x-b=2 x-a=3 x-c=d" },
			{ "may be empty", "sent['x-a'] = ''", "x-a=" },
			{ "keep tabs and bytes beyond ASCII", "sent['x-a'] = '\u{fc}\\t\xff'", "x-a=\u{fc}\t\xff" },
		}
		for _, case in ipairs(cases) do
			local what, code, expected = table.unpack(case)
			it(what, function()
				assert.equal(expected, own(post(code .. " return 'x'")))
			end)
		end

		it("can be read again", function()
			local code = "sent['X-A'] = { 1, 2 } local list = {} for n, v in pairs(sent) do list[#list + 1] = n .. v end "
				.. "return sent['x-a'] .. #sent .. table.concat(sent:all('x-a')) .. table.concat(list) .. tostring(sent['x-b'])"
			assert.equal("1212X-A1X-A2nil", post(code).body)
		end)

		it("keep the case of their names", function()
			assert.matches("\r\nX%-MiXed: a\r\n", connection:ask("POST", "/run", { "Connection: close" },
				"sent['X-MiXed'] = 'a' return 'x'"):rest())
		end)

		it("are the same object each time", function()
			assert.equal("true", post("return tostring(rawequal(response.headers, response.headers))").body)
		end)

		it("do not leak into the next response of a connection", function()
			assert.equal("x-a=1", own(post("sent['x-a'] = 1 return 'x'")))
			assert.equal("", own(post("return 'x'")))
		end)

		it("may be a content type", function()
			assert.equal("text/css", post("sent['Content-Type'] = 'text/css' return 'x'").headers["content-type"])
			assert.equal("text/css", post("sent['content-type'] = 'text/css' return { a = 1 }").headers["content-type"])
			assert.equal("text/css", post("sent['content-type'] = 'text/css' response:write('x')").headers["content-type"])
		end)

		it("may be a date", function()
			assert.equal("then", post("sent.date = 'then' return 'x'").headers.date)
		end)

		for _, name in ipairs({ "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive" }) do
			it("do not disturb the framing by " .. name, function()
				local response = post(("sent['%s'] = '1' return 'three'"):format(name))
				assert.equal("three", response.body)
				assert.equal("5", response.headers["content-length"])
				assert.is_nil(response.headers["transfer-encoding"])
				assert.is_nil(response.headers.connection)
				assert.equal("next", post("return 'next'").body)
			end)
		end

		it("are too late after the response has begun", function()
			for _, code in ipairs({ "sent['x-a'] = 1", "sent:add('x-a', 1)", "sent['x-a'] = nil" }) do
				local body = post(("response:write('go ') local _, m = pcall(function() %s end) response:write(m)"):format(code)).body
				assert.equal("go run:1: the response has begun: its headers are sent", body)
			end
		end)

		it("can be read after the response has begun", function()
			assert.equal("b", post("sent['x-a'] = 'b' response:write('') response:write(sent['x-a'])").body)
		end)

		it("may be many", function()
			local response = post("for i = 1, 300 do sent:add('x-' .. i, ('v'):rep(i)) end return 'x'")
			assert.equal(("v"):rep(300), response.headers["x-300"])
			assert.equal("x", response.body)
		end)
	end)

	describe("raise at the line of their caller", function()
		local cases = {
			{ "sent['x-a'] = 'a\\rb'", "header 'x-a' has a control byte in its value" },
			{ "sent['x-a'] = 'a\\nb'", "header 'x-a' has a control byte in its value" },
			{ "sent['x-a'] = 'a\\0b'", "header 'x-a' has a control byte in its value" },
			{ "sent['x-a'] = 'a\\127b'", "header 'x-a' has a control byte in its value" },
			{ "sent['x-a'] = { 'a', 'b\\r\\n' }", "header 'x-a' has a control byte in its value" },
			{ "sent:add('x-a', 'a\\r\\nb: c')", "header 'x-a' has a control byte in its value" },
			{ "headers['x-a'] = 'a\\r\\nb: c'", "header 'x-a' has a control byte in its value" },
			{ "sent['x a'] = 'b'", "'x a' is no header name" },
			{ "sent['x-a\\r\\nb'] = 'b'", "is no header name" },
			{ "sent['x:'] = 'b'", "'x:' is no header name" },
			{ "sent[''] = 'b'", "'' is no header name" },
			{ "sent['\u{fc}'] = 'b'", "is no header name" },
			{ "sent:add('x a', 'b')", "'x a' is no header name" },
			{ "sent[1] = 'b'", "a header name is a string, not a number" },
			{ "sent['x-a'] = true", "header 'x-a' is a string or a number, not a boolean" },
			{ "sent['x-a'] = { {} }", "header 'x-a' is a string or a number, not a table" },
			{ "sent['x-a'] = sent", "header 'x-a' is a string or a number, not a userdata" },
			{ "sent:add('x-a')", "header 'x-a' is a string or a number, not a n" },
			{ "sent:add('x-a', { 1 })", "header 'x-a' is a string or a number, not a table" },
			{ "response:redirect('/\\r\\nb: c')", "header 'location' has a control byte in its value" },
		}
		for _, case in ipairs(cases) do
			local code, message = table.unpack(case)
			it("for " .. code, function()
				local response = post(("local ok, m = pcall(function()\n%s\nend) return 200, tostring(m)"):format(code))
				assert.equal("run:2: ", response.body:sub(1, 7))
				assert.is_truthy(response.body:find(message, 1, true), response.body)
				assert.is_nil(response.headers.b)
			end)
		end

		it("for methods of something else", function()
			assert.matches("tidegate.headers expected, got table", post("return select(2, pcall(sent.add, {}, 'a', 'b'))").body)
		end)
	end)

	describe("that a handler returns", function()
		it("are sent", function()
			assert.equal("x-a=b x-a=2", own(post("return 200, 'x', { ['x-a'] = { 'b', 2 } }")))
			assert.equal("x-a=7", own(post("return 204, nil, { ['x-a'] = 7 }")))
		end)

		it("replace those that were set under their names", function()
			assert.equal("x-b=2 x-a=3", own(post("sent['X-A'] = { 1, 1 } sent['x-b'] = 2 return 200, 'x', { ['x-a'] = 3 }")))
		end)

		it("win over the content type of the body", function()
			assert.equal("a/b", post("return 200, { 1 }, { ['Content-Type'] = 'a/b' }").headers["content-type"])
		end)

		for _, headers in ipairs({ "{ ['x-a'] = 'a\\r\\nb: c' }", "{ ['x a'] = 1 }", "{ 'x-a' }", "{ a = true }" }) do
			it("are refused as " .. headers, function()
				local response = post(("sent['x-b'] = 1 return 200, 'x', %s"):format(headers))
				assert.equal(500, response.status)
				assert.equal("x-b=1", own(response))
			end)
		end
	end)

	it("end with their exchange", function()
		local code = "local log, timer, h = require('tidegate.log'), require('tidegate.timer'), sent "
			.. "timer.after(0.01, function() log.info('late', { m = select(2, pcall(function() h['x-a'] = 1 end)) }) end)"
		assert.equal(204, post(code).status)
		gateway:wait_log('"msg":"late"[^\n]*the exchange is over')
	end)
end)

describe("a list of no values", function()
	it("is an array for JSON, of fields and of the query", function()
		local gateway = server.start({ files = {
			["handlers/all.lua"] = [[
return function(request)
	return { fields = request.headers:all("x-none"), values = request.query("none") }
end]],
		} })
		assert.equal('{"fields":[],"values":[]}', (gateway:get("/all").body:gsub('^{"values":%[%],"fields":%[%]}$',
			'{"fields":[],"values":[]}')))
		gateway:stop()
	end)
end)

describe("fields of a request that are all removed", function()
	it("stay away", function()
		local gateway = server.start({ files = {
			["handlers/none.lua"] = [[
return function(request)
	local names = {}
	for name in pairs(request.headers) do table.insert(names, 1, name) end
	for _, name in ipairs(names) do request.headers[name] = nil end
	local left = 0
	for _ in pairs(request.headers) do left = left + 1 end
	return ("%d were there, %d are"):format(#names, left)
end]],
		} })
		assert.equal("2 were there, 0 are", gateway:get("/none", { "X-A: 1" }).body)
		gateway:stop()
	end)
end)
