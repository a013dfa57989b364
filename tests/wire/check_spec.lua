local program = require("tests.support.program")
local projects = require("tests.support.project")

describe("tidegate check", function()
	local project

	before_each(function()
		project = projects.new()
	end)

	after_each(function()
		project:delete()
	end)

	local function check(files, ...)
		for name, text in pairs(files) do
			project:write(name, text)
		end
		return program.run("check", project.path, ...)
	end

	it("says that all is well", function()
		assert.same({ "all handlers load\n", "", 0 }, { check({ ["handlers/a.lua"] = "return print" }) })
	end)

	it("is content without any handler, and says so", function()
		local hint = "there are no handlers: put a file such as hello.lua into handlers\n"
		assert.same({ hint, "", 0 }, { check({}) })
		assert.same({ hint, "", 0 }, { check({ ["handlers/_helper.lua"] = "return 1" }) })
	end)

	it("counts a service as a handler", function()
		assert.same({ "all handlers load\n", "", 0 },
			{ check({ ["handlers/_tcp.lua"] = "return { listen = '127.0.0.1:1', serve = print }" }) })
	end)

	it("warns of a route that looks like a middleware", function()
		local output, errors, code = check({
			["handlers/a/middleware.lua"] = "return function(request, response, next) return next() end",
		}, "--log-format", "text")
		assert.same({ "all handlers load\n", 0 }, { output, code })
		local message, rest = errors:match("^[%d:.]+ warn  (handlers/[^\n]-) generation=1\n(.*)$")
		assert.same({ "handlers/a/middleware.lua serves /a/middleware, and wraps no route, though its function takes "
			.. "three parameters; did you mean '_middleware.lua'?", "" }, { message, rest })
	end)

	it("does not warn of a route of that name that is one", function()
		for _, code in ipairs({ "function(request, response)", "function(...)" }) do
			local _, errors = check({ ["handlers/middleware.lua"] = ("return %s return '' end"):format(code) })
			assert.equal("", errors)
		end
		local _, errors = check({ ["handlers/middleware.lua"] = "return { GET = function(a, b, c) return a, b, c end }" })
		assert.equal("", errors)
	end)

	it("lists every error, one a line", function()
		local output, errors, code = check({
			["handlers/a.lua"] = "return function(",
			["handlers/b.lua"] = "return print",
			["handlers/c.lua"] = "return {\n\tGETT = print,\n}",
			["handlers/d/_middleware.lua"] = "return 5",
			["handlers/d/e.lua"] = "return { GET = print,\n  path = '/b' }",
			["handlers/f/{x.lua"] = "return print",
		})
		assert.same({ "", 1 }, { output, code })
		local lines = {}
		for line in errors:gmatch("([^\n]*)\n") do
			lines[#lines + 1] = line
		end
		table.sort(lines)
		assert.same({
			"handlers/a.lua:1: <name> or '...' expected near <eof>",
			"handlers/c.lua:2: unknown method 'GETT'; did you mean 'GET'?",
			"handlers/d/_middleware.lua:1: must return a function (or a list of them), not a number",
			"handlers/d/e.lua:2: '/b' is also served by handlers/b.lua ('/b')",
			"handlers/f/{x.lua:1: malformed template '/f/{x': a '{' is never closed",
		}, lines)
	end)

	it("shows where a file raised its error", function()
		local _, errors, code = check({
			["handlers/a.lua"] = "local tide = require('tide')\n\ntide.rise()",
			["lua/tide.lua"] = "return {\n\trise = function()\n\t\terror('the moon is late')\n\tend,\n}",
		})
		assert.equal(1, code)
		assert.match("^lua/tide.lua:3: the moon is late\nstack traceback:\n", errors)
		assert.match("\n\tlua/tide.lua:3: in function ", errors)
		assert.match("\n\thandlers/a.lua:3: in main chunk", errors)
		assert.not_match("tidegate:lua/", errors)
	end)

	it("starts nothing: no socket, no pid file, no access log, no on_start", function()
		local output, errors, code = check({
			["handlers/a.lua"] = [[
require("tidegate").on_start(function() error("started") end)
require("tidegate.timer").every(0.001, function() error("ticked") end)
return print]],
			["tidegate.lua"] = "return { listen = '127.0.0.1:1', access_log = 'access.log' }",
		}, "--pid-file", project.path .. "/x.pid", "--access-log", project.path .. "/access.log")
		assert.same({ "all handlers load\n", "", 0 }, { output, errors, code })
		local pipe = io.popen("ls -A " .. projects.quote(project.path))
		assert.equal("handlers\ntidegate.lua\n", pipe:read("a"))
		pipe:close()
	end)

	it("ends a file that never ends", function()
		local _, errors, code = check({ ["handlers/a.lua"] = "while true do end" }, "--start-timeout", "0.2")
		assert.equal(1, code)
		assert.match("^handlers/a%.lua:1: time budget exceeded: 200 ms without a wait\n", errors)
	end)

	it("ends finalizers that never return", function()
		local output, errors, code = check({ ["handlers/a.lua"] = [[
local kept = setmetatable({}, { __gc = function() while true do end end })
return function() return kept end]] }, "--start-timeout", "0.2")
		assert.same({ "all handlers load\n", 0 }, { output, code }, errors)
	end)

	it("checks while a gateway serves the same project", function()
		project:write("handlers/a.lua", "return function() return 'a' end")
		local gateway = require("tests.support.server").start({ project = project })
		local output, _, code = check({})
		assert.same({ "all handlers load\n", 0 }, { output, code })
		local _, errors = check({ ["handlers/a.lua"] = "oops" })
		assert.equal("handlers/a.lua:1: syntax error near <eof>\n", errors)
		assert.equal("a", gateway:get("/a").body)
		gateway:stop()
	end)

	it("takes another folder, and the modules beside it", function()
		assert.same({ "all handlers load\n", "", 0 }, {
			check({
				["handlers/a.lua"] = "oops",
				["sub/web/a.lua"] = "require('tide') return print",
				["sub/lua/tide.lua"] = "return 1",
			}, "--handlers", "sub/web"),
		})
	end)

	it("takes a folder by its whole path", function()
		project:write("web/a.lua", "return oops(")
		local _, errors, code = check({}, "--handlers", project.path .. "/web")
		assert.equal(1, code)
		assert.match("^/tmp/tidegate%.%w+/web/a%.lua:1: ", errors)
	end)

	pending("loads names of any length: app.routes() cannot format a path of 100 bytes")
end)
