local around = require("tests.support.around")

-- A file of its own for each: its errors have its name and line.
local raises = {
	string = "error('a secret')",
	level2 = "error('a secret', 2)",
	bare = "error('a secret', 0)",
	table = "error({ 'a secret' })",
	named = "error(setmetatable({}, { __tostring = function() return 'a secret' end }))",
	broken = "error(setmetatable({}, { __tostring = function() error('worse') end }))",
	none = "error()",
	handler = "error(select(2, xpcall(error, function() return 'handlers/handler.lua:2: worse' end, 'a secret')), 0)",
	number = "error(42)",
	boolean = "error(false)",
	field = "local x = nil\nreturn x.secret",
	call = "local secret\nsecret()",
	arithmetic = "return 1 + {}",
	overflow = "local function secret() return secret() + 1 end return secret()",
	argument = "return ('x'):rep({})",
	yield = "coroutine.yield()",
	deep = "local function a() error('a secret') end local function b() a() end b()",
	bytes = "error('a\\27\\255')",
	asleep = "require('tidegate.timer').sleep(0) error('a secret')",
	tail = "return require('tidegate.http').get('not a url')",
	tail_deep = "return require('helper')(request)",
	tail_local = "local function f() return error('a secret') end return f()",
	coroutine = "coroutine.wrap(function() error('a secret') end)()",
}

local run = [[
return function(request, response)
	return assert(load("local request, response, tidegate = ... " .. request:text(), "=run"))(request, response, require("tidegate"))
end
]]

describe("an error", function()
	local gateway, connection

	around(function()
		local files = { ["handlers/run.lua"] = run, ["lua/helper.lua"] = "return function()\nerror('a secret') end" }
		for name, code in pairs(raises) do
			files["handlers/" .. name .. ".lua"] = "return function(request)\n" .. code .. "\nend\n"
		end
		return { files = files, flags = { "--time-limit", "60" } } -- a stack takes its time to overflow
	end, function(...)
		gateway, connection = ...
	end)

	local function post(code, headers)
		return connection:fetch("POST", "/run", headers, code)
	end

	describe("is a 500 that tells the client nothing, and logged with the request's id, when it raises", function()
		local cases = {
			{ "a string", "string", "handlers/string%.lua:2: a secret\\nstack traceback:" },
			{ "a string at the caller's level", "level2", "a secret\\nstack traceback:" },
			{ "a string without a place", "bare", 'a secret\\nstack traceback:[^\n]*handlers/bare%.lua:2' },
			{ "a table", "table", "%(the error is a table, not a message%)\\nstack traceback:[^\n]*handlers/table%.lua:2" },
			{ "a table that names itself", "named", 'a secret\\nstack traceback:' },
			{ "a table that cannot name itself", "broken", "worse" },
			{ "from an error handler that fails", "handler", "handlers/handler%.lua:2: worse" },
			{ "nil", "none", "%(the error is a nil, not a message%)" },
			{ "a number", "number", '42\\nstack traceback' },
			{ "a boolean", "boolean", "%(the error is a boolean, not a message%)" },
			{ "an index of nil", "field", "handlers/field%.lua:3: attempt to index a nil value %(local 'x'%)" },
			{ "a call of nil", "call", "handlers/call%.lua:3: attempt to call a nil value %(local 'secret'%)" },
			{ "an arithmetic on a table", "arithmetic", "handlers/arithmetic%.lua:2: attempt to perform arithmetic on a table value" },
			{ "a stack overflow", "overflow", "handlers/overflow%.lua:2: stack overflow" },
			{ "a bad argument", "argument", "handlers/argument%.lua:2: bad argument #1 to 'rep'" },
			{ "a yield that nobody resumes", "yield", "coroutine.yield outside a coroutine" },
			{ "from functions deep down", "deep", "a secret\\nstack traceback:[^\n]*in upvalue 'a'[^\n]*in local 'b'[^\n]*handlers/deep%.lua:2: in function" },
			{ "any bytes", "bytes", "handlers/bytes%.lua:2: a\\u001b\\u00ff" },
			{ "behind a wait", "asleep", "handlers/asleep%.lua:2: a secret" },
			{ "in a tail call, which hides the line of the handler", "tail", "handlers/tail%.lua:1: byte 4 of the URL must be "
				.. "percent%-encoded\\nstack traceback:[^\n]*\\n\\t%(...tail calls...%)\\n\\thandlers/tail%.lua:1: in the handler that begins here" },
			{ "in a tail call to a module", "tail_deep", "lua/helper%.lua:2: a secret\\nstack traceback:[^\n]*"
				.. "%(...tail calls...%)\\n\\thandlers/tail_deep%.lua:1: in the handler that begins here" },
			{ "in a tail call to a function of the same file", "tail_local", "handlers/tail_local%.lua:2: a secret\\nstack traceback:"
				.. "[^\n]*%(...tail calls...%)\\n\\t%[C%]: in ?" },
			{ "in a coroutine", "coroutine", "handlers/coroutine%.lua:2: [^\n]*a secret" },
		}
		for _, case in ipairs(cases) do
			local what, name, message = table.unpack(case)
			it(what, function()
				local from = #gateway:log() + 1
				local response = connection:fetch("GET", "/" .. name)
				assert.equal(500, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
				local id = response.body:match(
					'^{"instance":"urn:request:(%x+)","status":500,"title":"Internal Server Error","type":"about:blank"}\n$')
				assert.equal(32, #assert(id, response.body))
				gateway:wait_log(('"level":"error","msg":"[^\n]*%s[^\n]*"request":"%s","route":"/%s","generation":1}'):format(
					message, id, name), from)
				assert.equal(1, select(2, gateway:log():sub(from):gsub('"level":"error"', "")))
				assert.equal("next", post("return 'next'").body)
			end)
		end
	end)

	it("after the response has begun cuts it, and is logged", function()
		connection:ask("POST", "/run", nil, "response:write('part') error('too late')")
		assert.equal("part", (connection:head() and connection:chunk()))
		assert.has_error(function() connection:chunk() end)
		gateway:wait_log("run:1: too late")
	end)

	it("keeps header fields that were set, but not those of the content", function()
		local response = post("local h = response.headers h['x-kept'] = 'k' h['content-type'] = 'a/b' h['content-encoding'] = 'gzip' "
			.. "h.etag = 'e' h['cache-control'] = 'max-age=9' response.status = 201 error('x')")
		assert.equal(500, response.status)
		assert.equal("k", response.headers["x-kept"])
		assert.equal("application/problem+json", response.headers["content-type"])
		for _, name in ipairs({ "content-encoding", "etag", "cache-control" }) do
			assert.is_nil(response.headers[name])
		end
	end)

	describe("by tidegate.fail", function()
		local cases = {
			{ "has status and message", "tidegate.fail(422, 'too wet')", 422,
				'{"detail":"too wet","status":422,"title":"Unprocessable Content","type":"about:blank"}\n' },
			{ "may have no message", "tidegate.fail(404)", 404, '{"status":404,"title":"Not Found","type":"about:blank"}\n' },
			{ "may have a status without a name", "tidegate.fail(499, 'x')", 499,
				'{"detail":"x","status":499,"title":"Client Error","type":"about:blank"}\n' },
			{ "escapes its message", "tidegate.fail(400, '\"<\\n')", 400,
				'{"detail":"\\"<\\n","status":400,"title":"Bad Request","type":"about:blank"}\n' },
			{ "ends the request from deep below", "local function a() tidegate.fail(409) end pcall(pcall) a() return 'not reached'", 409,
				'{"status":409,"title":"Conflict","type":"about:blank"}\n' },
			{ "ends it behind a wait", "require('tidegate.timer').sleep(0) tidegate.fail(409)", 409,
				'{"status":409,"title":"Conflict","type":"about:blank"}\n' },
			{ "ends it from a coroutine", "coroutine.wrap(function() tidegate.fail(409) end)()", 409,
				'{"status":409,"title":"Conflict","type":"about:blank"}\n' },
			{ "can be raised again", "local _, e = pcall(tidegate.fail, 409) error(e, 0)", 409,
				'{"status":409,"title":"Conflict","type":"about:blank"}\n' },
		}
		for _, case in ipairs(cases) do
			local what, code, status, body = table.unpack(case)
			it(what .. ", and is not logged", function()
				local from = #gateway:log() + 1
				local response = post(code)
				assert.equal(status, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
				assert.equal(body, response.body)
				assert.equal("", gateway:log():sub(from))
			end)
		end

		it("of 500 and above names the request", function()
			assert.matches('"detail":"down","instance":"urn:request:%x+","status":503', post("tidegate.fail(503, 'down')").body)
		end)

		it("may have header fields", function()
			local response = post("tidegate.fail(429, 'slow down', { ['retry-after'] = 7 })")
			assert.equal(429, response.status)
			assert.equal("7", response.headers["retry-after"])
		end)

		it("is caught as an object", function()
			assert.equal("422 too wet 422 too wet",
				post("local _, e = pcall(tidegate.fail, 422, 'too wet') return 200, e.status .. ' ' .. e.message .. ' ' .. tostring(e)").body)
		end)

		it("with a message that is no UTF-8 is a 500", function()
			assert.equal(500, post("tidegate.fail(400, '\\255')").status)
			assert.equal("next", post("return 'next'").body)
		end)

		for code, message in pairs({
			["tidegate.fail(200)"] = "fail() takes a status from 400 to 599, not 200",
			["tidegate.fail(399)"] = "not 399",
			["tidegate.fail(600)"] = "not 600",
			["tidegate.fail('404')"] = "not 404",
			["tidegate.fail()"] = "not nil",
			["tidegate.fail(404.5)"] = "not 404.5",
			["tidegate.fail(404, {})"] = "fail() takes a string as its message, not a table",
			["tidegate.fail(404, 'x', 'y')"] = "fail() takes a table as its headers, not a string",
		}) do
			it("refuses " .. code, function()
				local body = post(("local _, m = pcall(function()\n%s\nend) return 200, tostring(m)"):format(code)).body
				assert.equal("run:2: ", body:sub(1, 7))
				assert.is_truthy(body:find(message, 1, true), body)
			end)
		end
	end)

	describe("is answered as Accept says:", function()
		local json, text = "application/problem+json", "text/plain; charset=utf-8"
		local cases = {
			{ nil, json },
			{ "*/*", json },
			{ "application/json", json },
			{ "application/problem+json", json },
			{ "text/html,application/xhtml+xml,*/*;q=0.8", text },
			{ "text/plain", text },
			{ "text/*", text },
			{ "text/html, application/json", json },
			{ "image/png", json },
		}
		for _, case in ipairs(cases) do
			local accept, kind = table.unpack(case, 1, 2)
			it((accept or "nothing") .. " gets " .. kind, function()
				local response = post("tidegate.fail(422, 'too wet')", accept and { "Accept: " .. accept })
				assert.equal(422, response.status)
				assert.equal(kind, response.headers["content-type"])
				if kind == text then
					assert.equal("422 Unprocessable Content\ntoo wet\n", response.body)
				end
			end)
		end

		it("a 500 in text tells nothing either", function()
			local response = post("error('a secret')", { "Accept: text/html" })
			assert.equal("500 Internal Server Error\n", response.body)
		end)
	end)

	it("is told as it is, though a task before was cancelled inside xpcall", function()
		local code = [[
			local timer = require("tidegate.timer")
			local h = require("tidegate.task").spawn(xpcall, timer.sleep, function() return "of another" end, 60)
			timer.sleep(0.001)
			h:cancel()
			h:wait()
			return require("tidegate.task").spawn(tidegate.fail, 418):wait()]]
		assert.equal(418, connection:fetch("POST", "/run", nil, code).status)
	end)

	it("of one request leaves a hundred others alone", function()
		local connections = {}
		for i = 1, 100 do
			connections[i] = gateway:connect():ask("POST", "/run", nil,
				i % 2 == 0 and "require('tidegate.timer').sleep(0.01) return 'fine'" or "require('tidegate.timer').sleep(0.01) error('x')")
		end
		for i = 1, 100 do
			assert.equal(i % 2 == 0 and 200 or 500, connections[i]:response().status)
			connections[i]:close()
		end
	end)
end)
