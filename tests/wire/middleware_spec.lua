local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

-- Puts its name around what is inside.
local function around(name)
	return ("function(request, response, next) local body = next() return '%s(' .. body .. ')' end"):format(name)
end

local function file(text)
	return "return " .. text .. "\n"
end

-- A route in a folder of its own with this middleware.
local function guarded(text, handler)
	return text, handler or "return function(request, response) return 'inside' end"
end

local folders = {}
local function folder(name, text, handler)
	text, handler = guarded(text, handler)
	folders["handlers/" .. name .. "/_middleware.lua"] = file(text)
	folders["handlers/" .. name .. "/in.lua"] = handler
end

describe("middleware", function()
	local gateway

	lazy_setup(function()
		folder("wait", "function(_, _, next) require('tidegate.timer').sleep(0.001) local b = next() require('tidegate.timer').sleep(0.001) return b .. '!' end",
			"return function() require('tidegate.timer').sleep(0.001) return 'waited' end")
		folder("short", "function(request) if not request.query.go then return 401, 'stop' end end",
			"return function() require('tidegate.log').info('must not run') return 'inside' end")
		folder("nothing", "function(_, _, next) next() end")
		folder("pass", "function(_, _, next) return next() end",
			"return function() return 201, { a = 1 }, { ['x-a'] = 'b' } end")
		folder("change", "function(_, _, next) local status, body, headers = next() body.more = true return status + 1, body, { ['x-was'] = headers['x-a'] } end",
			"return function() return 201, { a = 1 }, { ['x-a'] = 'b' } end")
		folder("sets", "function(_, response, next) response.headers['x-set'] = 'y' response.status = 202 return next() end",
			"return function() return 'body' end")
		folder("error", "function() error('of a guard') end")
		folder("late", "function(_, _, next) next() error('behind the handler') end")
		folder("fail", "function() require('tidegate').fail(403, 'not you') end")
		folder("catch", "function(_, _, next) local ok, e = pcall(next) return 200, tostring(ok) .. ' ' .. tostring(e) end",
			"return function() require('tidegate.timer').sleep(0.001) error('caught', 0) end")
		folder("twice", "function(_, _, next) return next() .. next() end",
			"local n = 0 return function() n = n + 1 return tostring(n) end")
		folder("last", "function(_, _, next) next() next() end",
			"local n = 0 return function() n = n + 1 if n == 1 then return 201, 'first', { ['x-n'] = 1 } end return 'second' end")
		folder("empty", "function(_, _, next) next() next() end",
			"local n = 0 return function() n = n + 1 if n == 1 then return 'first' end end")
		folder("all", "function(_, _, next) next() end", "return function() return 201, { a = 1 }, { ['x-a'] = 'b' } end")
		folder("bare", "function(_, _, next) return next('these', 'are', 'not handed on') end",
			"return function(...) return tostring(select('#', ...)) end")
		folder("inner", "function(_, _, next) return coroutine.wrap(next)() .. coroutine.wrap(function() return next() end)() end",
			"local n = 0 return function() require('tidegate.timer').sleep(0.001) n = n + 1 return tostring(n) end")
		folder("stream", "function(_, response, next) response:write('<') next() response:write('>') end",
			"return function(_, response) response:write('inside') end")
		folder("locals", "function(request, _, next) request.locals.user = 'Ada' return next() end",
			"return function(request) return request.locals.user end")
		folder("false", "function(_, _, next) return next(), true end")
		local files = {
			["handlers/a/_middleware.lua"] = file(around("a")),
			["handlers/a/one.lua"] = file("function() return 'one' end"),
			["handlers/a/b/_middleware.lua"] = file("{ " .. around("b1") .. ", " .. around("b2") .. " }"),
			["handlers/a/b/two.lua"] = file("{ GET = function() return 'two' end, use = { " .. around("u1") .. ", " .. around("u2") .. " } }"),
			["handlers/a/b/c/three.lua"] = file("{ GET = function() return 'three' end, use = " .. around("u") .. " }"),
			["handlers/a/moved.lua"] = file("{ GET = function() return 'moved' end, path = '/elsewhere' }"),
			["handlers/free.lua"] = file("function() return 'free' end"),
			["handlers/table/_middleware.lua"] = file("function(request, response, next) "
				.. "if request.headers['x-stop'] then return 403 end response.headers['x-guard'] = request.method return next() end"),
			["handlers/table/in.lua"] = file("{ GET = function() return 'got' end }"),
		}
		for name, text in pairs(folders) do
			files[name] = text
		end
		files["handlers/kept/_middleware.lua"] = [[
local timer = require("tidegate.timer")
local kept = {}
local function keep(request, response, next)
	kept[request.query.key] = next
	if request.query.of then
		return "it says: " .. select(2, pcall(kept[request.query.of]))
	end
	return next()
end
local function wait(request, response, next)
	timer.sleep(tonumber(request.query.wait))
	return next()
end
return { keep, wait }
]]
		files["handlers/kept/in.lua"] = "return function(request) return request.query.key end"
		gateway = server.start({ files = files })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	describe("runs from the outside in:", function()
		local cases = {
			{ "that of the folder", "/a/one", "a(one)" },
			{ "that of the folders on the way down, lists in order, then use", "/a/b/two", "a(b1(b2(u1(u2(two)))))" },
			{ "through folders without", "/a/b/c/three", "a(b1(b2(u(three))))" },
			{ "by the file's folder, not by its path", "/elsewhere", "a(moved)" },
			{ "not beside its folder", "/free", "free" },
		}
		for _, case in ipairs(cases) do
			local what, target, body = table.unpack(case)
			it(what, function()
				assert.equal(body, gateway:get(target).body)
			end)
		end
	end)

	it("may wait, and so may what is inside", function()
		assert.equal("waited!", gateway:get("/wait/in").body)
	end)

	it("may answer without next", function()
		local response = gateway:get("/short/in")
		assert.equal(401, response.status)
		assert.equal("stop", response.body)
		assert.is_nil(gateway:log():find("must not run", 1, true))
	end)

	it("that returns nothing answers nothing if it did not call next", function()
		assert.equal(204, gateway:get("/short/in?go").status)
	end)

	it("that returns nothing hands on what next returned", function()
		assert.equal(200, gateway:get("/nothing/in").status)
	end)

	it("without its underscore is a route, and each load warns of it once", function()
		local other = server.start({
			files = { ["handlers/middleware.lua"] = "return function(request, response, next) return 'a route' end" },
			threads = 2,
		})
		local function warnings()
			return select(2, other:log():gsub("handlers/middleware.lua serves /middleware, and wraps no route", ""))
		end
		assert.equal("a route", other:get("/middleware").body)
		assert.equal(1, warnings())
		other:reload()
		assert.equal(2, warnings())
		other:stop()
	end)

	it("is refused under a name that is nearly right: a guard is never skipped", function()
		local project = projects.new({
			["handlers/_midleware.lua"] = "return function() return 401 end",
			["handlers/a.lua"] = "return print",
		})
		local _, errors, code = program.run("check", project.path)
		assert.equal(1, code)
		assert.equal("handlers/_midleware.lua:1: is this a '_middleware.lua'? no other name wraps routes\n", errors)
		project:delete()
	end)

	it("hands on status, body and headers", function()
		local response = gateway:get("/pass/in")
		assert.equal(201, response.status)
		assert.equal('{"a":1}', response.body)
		assert.equal("b", response.headers["x-a"])
	end)

	it("sees what was returned before it is a response, and may change it", function()
		local response = gateway:get("/change/in")
		assert.equal(202, response.status)
		assert.is_truthy(response.body:find('"more":true', 1, true))
		assert.is_nil(response.headers["x-a"])
		assert.equal("b", response.headers["x-was"])
	end)

	it("may set status and headers beforehand", function()
		local response = gateway:get("/sets/in")
		assert.equal(202, response.status)
		assert.equal("y", response.headers["x-set"])
		assert.equal("body", response.body)
	end)

	it("leaves values for the handler", function()
		assert.equal("Ada", gateway:get("/locals/in").body)
	end)

	it("may call next twice", function()
		assert.equal("12", gateway:get("/twice/in").body)
	end)

	it("that returns nothing hands on what next gave last", function()
		local response = gateway:get("/last/in")
		assert.equal(200, response.status)
		assert.equal("second", response.body)
		assert.is_nil(response.headers["x-n"])
		assert.equal(204, gateway:get("/empty/in").status)
	end)

	it("that returns nothing hands on status, body and headers", function()
		local response = gateway:get("/all/in")
		assert.equal(201, response.status)
		assert.equal('{"a":1}', response.body)
		assert.equal("b", response.headers["x-a"])
	end)

	it("gives the handler request and response, whatever next is given", function()
		assert.equal("2", gateway:get("/bare/in").body)
	end)

	it("may call next in coroutines of its own, and wait there", function()
		assert.equal("12", gateway:get("/inner/in").body)
	end)

	it("has a next for each request, which waits beside others", function()
		local slow = gateway:connect()
		slow:ask("GET", "/kept/in?key=slow&wait=0.1")
		assert.equal("quick", gateway:get("/kept/in?key=quick&wait=0").body)
		assert.equal("slow", slow:response().body)
		slow:close()
	end)

	it("cannot use the next of a request that is over", function()
		assert.equal("old", gateway:get("/kept/in?key=old&wait=0").body)
		assert.matches("it says: .*the exchange is over", gateway:get("/kept/in?key=new&of=old").body)
	end)

	it("ends, and cleans up, when the client leaves while what is inside waits", function()
		local own = server.start({ files = {
			["handlers/_middleware.lua"] = [[
local log = require("tidegate.log")
return function(_, _, next)
	local _ <close> = setmetatable({}, { __close = function() log.info("the layer ends") end })
	return next()
end]],
			["handlers/slow.lua"] = [[
return function()
	require("tidegate.log").info("it waits")
	require("tidegate.timer").sleep(1000)
end]],
		} })
		local client = own:connect()
		client:ask("GET", "/slow")
		own:wait_log("it waits")
		client:close()
		own:wait_log("the layer ends")
		own:stop()
	end)

	it("goes on around a request that waits while all is replaced", function()
		local read = "return function(request) return request:text() end"
		local own = server.start({ files = {
			["handlers/_middleware.lua"] = "return " .. around("old"),
			["handlers/read.lua"] = read,
		} })
		local client = own:connect()
		client:send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
		program.await("the request", function()
			return (program.run("status", own.project.path)):find(" 1 requests", 1, true)
		end)
		own:replace({ ["handlers/_middleware.lua"] = "return " .. around("new") })
		assert.equal("new()", own:get("/read").body)
		client:send("b")
		assert.equal("old(ab)", client:response().body)
		client:close()
		own:stop()
	end)

	it("may write around a stream", function()
		assert.equal("<inside>", gateway:get("/stream/in").body)
	end)

	it("catches what the handler raises", function()
		assert.equal("false caught", gateway:get("/catch/in").body)
	end)

	it("that raises is a 500, before or behind the handler", function()
		assert.equal(500, gateway:get("/error/in").status)
		gateway:wait_log("handlers/error/_middleware%.lua:1: of a guard")
		assert.equal(500, gateway:get("/late/in").status)
		gateway:wait_log("handlers/late/_middleware%.lua:1: behind the handler")
	end)

	it("may fail with a status", function()
		local response = gateway:get("/fail/in")
		assert.equal(403, response.status)
		assert.is_truthy(response.body:find('"detail":"not you"', 1, true))
	end)

	it("that returns what it must not is a 500 that names the route's file", function()
		assert.equal(500, gateway:get("/false/in").status)
		gateway:wait_log("handlers/false/in%.lua: a handler returned a string first")
	end)

	describe("guards answers that no handler gives:", function()
		local cases = {
			{ "HEAD by GET", "HEAD", 200 },
			{ "OPTIONS", "OPTIONS", 204 },
			{ "405", "PUT", 405 },
			{ "501", "BREW", 501 },
		}
		for _, case in ipairs(cases) do
			local what, method, status = table.unpack(case)
			it(what, function()
				local connection = gateway:connect()
				local response = connection:ask(method, "/table/in"):response(method)
				assert.equal(status, response.status)
				assert.equal(method, response.headers["x-guard"])
				response = connection:ask(method, "/table/in", { "X-Stop: 1" }):response(method)
				assert.equal(403, response.status)
				connection:close()
			end)
		end
	end)

	it("of the top folder runs for what no route serves", function()
		local other = server.start({ files = {
			["handlers/_middleware.lua"] = "return function(_, response, next) response.headers['x-top'] = 'y' return next() end",
			["handlers/a.lua"] = "return function() return 'a' end",
		} })
		assert.equal("y", other:get("/a").headers["x-top"])
		local response = other:get("/nowhere")
		assert.equal(404, response.status)
		assert.equal("y", response.headers["x-top"])
		other:stop()
	end)

	it("may be a hundred functions around a route, and no more", function()
		local function list(n)
			return "local list = {} for i = 1, " .. n .. " do list[i] = function(_, _, next) return next() .. '.' end end return list"
		end
		local other = server.start({ files = {
			["handlers/_middleware.lua"] = list(100),
			["handlers/a.lua"] = "return function() return pcall(error, 'a') and '' or 'a' end",
		} })
		assert.equal("a" .. ("."):rep(100), other:get("/a").body)
		other:stop()
		local project = projects.new({
			["handlers/_middleware.lua"] = list(100),
			["handlers/a.lua"] = "return { GET = print, use = print }",
		})
		local _, errors, code = program.run("check", project.path)
		assert.equal(1, code)
		assert.equal("handlers/a.lua:1: more than 100 functions of middleware are around it\n", errors)
		project:delete()
	end)

	describe("that does not load keeps everything from loading:", function()
		local cases = {
			{ "a syntax error", "return function(", "handlers/p/_middleware.lua:1: " },
			{ "an error", "\nerror('at load')", "handlers/p/_middleware.lua:2: at load" },
			{ "a string", "return 'x'", "handlers/p/_middleware.lua:1: must return a function (or a list of them), not a string" },
			{ "nothing", "local x = 1", "must return a function (or a list of them), not a nil" },
			{ "an empty list", "return {}", "must be a function or a list of functions" },
			{ "a list with a string", "return { function() end, 'x' }", "holds a string, not only functions" },
		}
		for _, case in ipairs(cases) do
			local what, text, message = table.unpack(case)
			it(what, function()
				local project = projects.new({
					["handlers/p/_middleware.lua"] = text,
					["handlers/p/in.lua"] = "return function() end",
				})
				local _, errors, code = program.run("check", project.path)
				assert.equal(1, code)
				assert.is_truthy(errors:find(message, 1, true), errors)
				project:delete()
			end)
		end

		it("a wrong use", function()
			local project = projects.new({ ["handlers/a.lua"] = "return {\n\tGET = print,\n\tuse = 'x',\n}" })
			local _, errors, code = program.run("check", project.path)
			assert.equal(1, code)
			assert.is_truthy(errors:find("handlers/a.lua:3: use must be a function or a list of functions", 1, true), errors)
			project:delete()
		end)
	end)
end)
