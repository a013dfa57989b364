local server = require("tests.support.server")

local run = [[
return function(request)
	local log = require("tidegate.log")
	return assert(load("local log, request = ... " .. request:text(), "=run"))(log, request) or request.id
end
]]

local function start(...)
	return server.start({ flags = { ... }, files = {
		["handlers/run.lua"] = run,
		["handlers/users/{id}.lua"] = run,
		["handlers/finished.lua"] = [[
			local log = require("tidegate.log")
			return function(request, response) log.info("with it") response:finish() log.info("without it") end]],
		["handlers/top.lua"] = [[
			local log = require("tidegate.log")
			log.info("while loading")
			require("tidegate").on_start(function() log.info("in on_start") end)
			require("tidegate").on_stop(function() log.info("in on_stop") end)
			return function() end]],
	} })
end

describe("tidegate.log", function()
	local gateway

	lazy_setup(function()
		gateway = start()
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	-- Runs the code; returns what it answers and the lines that it logs.
	local function post(code, target)
		local from = #gateway:log() + 1
		local response = gateway:fetch("POST", target or "/run", nil, code)
		assert.equal(200, response.status)
		return response.body, gateway:log():sub(from)
	end

	for _, level in ipairs({ "info", "warn", "error" }) do
		it("writes a JSON record at level " .. level, function()
			local id, text = post(("log.%s('tide')"):format(level))
			local time, rest = text:match('^{"time":"([^"]*)",(.*)}\n$')
			assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", time)
			assert.equal(('"level":"%s","msg":"tide","request":"%s","route":"/run","generation":1'):format(level, id), rest)
		end)
	end

	it("names the template of the route, not the path", function()
		local _, text = post("log.info('x')", "/users/7")
		assert.matches('"route":"/users/{id}"', text)
	end)

	it("writes nothing below its level, and looks at no argument", function()
		local _, text = post("log.debug('x') log.debug() log.debug('x', 'no table') "
			.. "log.debug(setmetatable({}, { __tostring = function() error('looked') end }))")
		assert.equal("", text)
	end)

	it("returns nothing", function()
		assert.equal("0", (post("return tostring(select('#', log.info('x')))")))
	end)

	describe("writes as a message", function()
		local cases = {
			{ "a string", "'high tide'", "high tide" },
			{ "an integer", "7", "7" },
			{ "a float", "1.5", "1.5" },
			{ "a boolean", "true", "true" },
			{ "nil", "nil", "nil" },
			{ "what __tostring gives", "setmetatable({}, { __tostring = function() return 'mine' end })", "mine" },
			{ "line ends, escaped", "'a\\nb\\r'", "a\\nb\\r" },
			{ "quotes and backslashes, escaped", [['a"b\\c']], [[a\"b\\c]] },
			{ "control bytes, escaped", "'a\\0b\\27c\\127'", "a\\u0000b\\u001bc\\u007f" },
			{ "UTF-8 as it is", "'\u{fc} \u{1f30a}'", "\u{fc} \u{1f30a}" },
			{ "bytes that are no UTF-8, escaped", "'\\255\\195'", "\\u00ff\\u00c3" },
			{ "an empty string", "''", "" },
		}
		for _, case in ipairs(cases) do
			local what, code, expected = table.unpack(case)
			it(what, function()
				local _, text = post(("log.info(%s)"):format(code))
				assert.equal(expected, text:match('"msg":"(.-)","request"'))
				assert.equal(1, select(2, text:gsub("\n", "")))
			end)
		end

		it("a long one whole", function()
			local _, text = post("log.info(('x'):rep(100000))")
			assert.is_truthy(text:find(("x"):rep(100000), 1, true))
		end)
	end)

	describe("writes as a field", function()
		local cases = {
			{ "a string", "'b'", '"b"' },
			{ "an integer as a number", "-7", "-7" },
			{ "the largest integer", "math.maxinteger", "9223372036854775807" },
			{ "a float as a string", "1.5", '"1.5"' },
			{ "a boolean as a string", "true", '"true"' },
			{ "what __tostring gives", "setmetatable({}, { __tostring = function() return 'mine' end })", '"mine"' },
			{ "control bytes, escaped", "'\\n\"'", '"\\n\\""' },
		}
		for _, case in ipairs(cases) do
			local what, code, expected = table.unpack(case)
			it(what, function()
				local _, text = post(("log.info('x', { a = %s })"):format(code))
				assert.is_truthy(text:find('"generation":1,"a":' .. expected .. "}\n", 1, true), text)
			end)
		end

		it("names that need it escaped", function()
			local _, text = post([[log.info('x', { ['a"\n'] = 1 })]])
			assert.is_truthy(text:find([["a\"\n":1}]], 1, true), text)
		end)

		it("several", function()
			local _, text = post("log.info('x', { a = 1, b = 'two', c = true })")
			for _, field in ipairs({ '"a":1', '"b":"two"', '"c":"true"' }) do
				assert.is_truthy(text:find(field, 1, true), text)
			end
		end)

		it("none of an empty table", function()
			local _, text = post("log.info('x', {})")
			assert.matches('"generation":1}\n$', text)
		end)
	end)

	describe("raises at the line of its caller", function()
		local cases = {
			{ "log.info('x', 'y')", "table expected, got string" },
			{ "log.info('x', { 'y' })", "names of fields are strings" },
			{ "log.info('x', { [true] = 1 })", "names of fields are strings" },
			{ "local t = {} for i = 1, 40 do t['a' .. i] = i end log.info('x', t)", "too many fields" },
			{ "log.info(setmetatable({}, { __tostring = function() return {} end }))", "'__tostring' must return a string" },
		}
		for _, case in ipairs(cases) do
			local code, message = table.unpack(case)
			it("for " .. code, function()
				local body, text = post(("local _, m = pcall(function()\n%s\nend) return m"):format(code))
				assert.equal("run:2: ", body:sub(1, 7))
				assert.is_truthy(body:find(message, 1, true), body)
				assert.equal("", text)
			end)
		end
	end)

	describe("is where print writes to", function()
		local cases = {
			{ "print('a', 1, nil, true)", "a\\t1\\tnil\\ttrue" },
			{ "print()", "" },
			{ "print('one\\ntwo')", "one\\ntwo" },
			{ "print(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine" },
		}
		for _, case in ipairs(cases) do
			local code, expected = table.unpack(case)
			it("by " .. code, function()
				local id, text = post(code)
				assert.equal(("%s\",\"request\":\"%s\",\"route\":\"/run\",\"generation\":1}\n"):format(expected, id),
					text:match('"level":"info","msg":"(.*)$'))
			end)
		end
	end)

	it("knows no request while files load, on start, on stop and in timers", function()
		local other = start()
		other:fetch("POST", "/run", nil, "require('tidegate.timer').after(0, function() log.info('in a timer') end)")
		other:wait_log("in a timer")
		local text = other:stop()
		for _, where in ipairs({ "while loading", "in on_start", "in on_stop", "in a timer" }) do
			assert.matches(('"msg":"%s","generation":1}\n'):format(where), text)
		end
	end)

	it("knows no request once the response is out", function()
		local connection = gateway:connect()
		assert.equal(204, connection:fetch("GET", "/finished").status)
		gateway:wait_log('"msg":"with it","request":"%x+","route":"/finished","generation":1}\n')
		gateway:wait_log('"msg":"without it","generation":1}\n')
		connection:close()
	end)

	it("tells concurrent requests apart", function()
		local one, two = gateway:connect(), gateway:connect()
		local code = "local sleep = require('tidegate.timer').sleep log.info('early') sleep(0.01) log.info('late') return request.id"
		one:ask("POST", "/run", nil, code)
		two:ask("POST", "/run", nil, code)
		local first, second = one:response().body, two:response().body
		assert.not_equal(first, second)
		for _, id in ipairs({ first, second }) do
			assert.matches('"msg":"early","request":"' .. id, gateway:log())
			assert.matches('"msg":"late","request":"' .. id, gateway:log())
		end
		one:close()
		two:close()
	end)

	describe("with --log-level", function()
		local cases = {
			debug = { "debug", "info", "warn", "error" },
			warn = { "warn", "error" },
			error = { "error" },
		}
		for level, expected in pairs(cases) do
			it(level .. " writes what is at least that", function()
				local other = start("--log-level", level)
				other:fetch("POST", "/run", nil, "for _, l in ipairs({ 'debug', 'info', 'warn', 'error' }) do log[l]('probe') end")
				local seen = {}
				for name in other:log():gmatch('"level":"(%a+)","msg":"probe"') do
					seen[#seen + 1] = name
				end
				assert.same(expected, seen)
				other:signal("TERM")
				assert.equal(0, other:wait())
				other.project:delete()
			end)
		end
	end)

	describe("with --log-format text", function()
		local other

		lazy_setup(function()
			other = start("--log-format", "text")
		end)

		lazy_teardown(function()
			other:signal("TERM")
			assert.equal(0, other:wait())
			other.project:delete()
		end)

		local function line_of(code)
			local from = #other:log() + 1
			local id = other:fetch("POST", "/run", nil, code).body
			return other:log():sub(from), id
		end

		it("writes a line for people", function()
			local text, id = line_of("log.warn('high tide', { a = 1 })")
			assert.matches(('^%%d%%d:%%d%%d:%%d%%d%%.%%d%%d%%d warn  high tide request="%s" route="/run" generation=1 a=1\n$'):format(id), text)
		end)

		it("indents the later lines of a message", function()
			assert.matches("info  one\n    two request=", (line_of("log.info('one\\ntwo')")))
		end)

		it("lets nobody forge a record or move the cursor", function()
			local text = line_of("log.info('a\\n12:00:00.000 error forged\\27[2J\\r', { b = 'x\\ny' })")
			assert.is_nil(text:find("\n12:00", 1, true))
			assert.is_nil(text:find("\27", 1, true))
			assert.is_nil(text:find("\r", 1, true))
		end)
	end)
end)

describe("a text record", function()
	it("cannot be forged by the name of a field", function()
		local gateway = server.start({
			flags = { "--log-format", "text" },
			files = { ["handlers/a.lua"] = [[
return function() require("tidegate.log").info("m", { ["a\n00:00:00.000 error forged"] = "v" }) end]] },
		})
		gateway:get("/a")
		gateway:wait_log("forged")
		assert.is_nil(gateway:log():find("\n00:00:00.000", 1, true))
		gateway:signal("TERM")
		assert.equal(0, gateway:wait())
		gateway.project:delete()
	end)
end)
