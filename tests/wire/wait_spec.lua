-- Every wait there is, through everything that may end it.

local socket = require("socket")

local around = require("tests.support.around")
local name_server = require("tests.support.name_server")
local program = require("tests.support.program")

-- Who takes connections and says nothing, and a name server; SILENT, NAMES and
-- PORT, the gateway's own, stand for their ports.
local silent = assert(socket.bind("127.0.0.1", 0, 1024))
local servers
local get = "'GET /marks?name=x HTTP/1.0\\r\\n\\r\\n'"

-- park: waits until something ends it.  completes: waits a little, gives
-- "done".  times_out: gives "timeout"; without it task.timeout ends the wait.
-- fails: what is waited for fails with "e".  body: the client announces ten
-- bytes of content, sends the first of them, and the last ones only to have the
-- wait complete: it gives `whole` then.  stream: the client does not read.
local form = "application/x-www-form-urlencoded"
local parts = "multipart/form-data; boundary=x"
local part = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n"
local json = { type = "application/json", first = "{", last = [["a":"bc"}]] }
local multipart = { type = parts, first = part .. "do", last = "ne\r\n--x--\r\n" }

local waits = {
	{ name = "timer.sleep", park = "timer.sleep(60)", completes = "return timer.sleep(0.001) and 'done'" },
	{ name = "request:text", park = "return request:text()", body = json, whole = [[{"a":"bc"}]] },
	{ name = "request:json", park = "return request:json().a", body = json, whole = "bc" },
	{ name = "request:buffer", park = "return tostring(request:buffer())", body = json, whole = [[{"a":"bc"}]] },
	{ name = "request:chunks", park = "local s = '' for c in request:chunks() do s = s .. c end return s", body = json, whole = [[{"a":"bc"}]] },
	{ name = "request:form", park = "return request:form().a", body = { type = form, first = "a=", last = "done" }, whole = "done" },
	{ name = "request:multipart", park = "for p in request:multipart() do return p.name end", body = { type = parts, first = "--x\r\n", last = part:sub(6)
		.. "\r\n--x--\r\n" }, whole = "a" },
	{ name = "part:text", park = "for p in request:multipart() do return p:text() end", body = multipart, whole = "done" },
	{ name = "part:chunks", park = "for p in request:multipart() do local s = '' for c in p:chunks() do s = s .. c end return s end", body = multipart,
		whole = "done" },
	{ name = "part:save", park = "for p in request:multipart() do return tostring(p:save('saved')) end", body = multipart, whole = "4" },
	{ name = "response:write", park = "local big = ('x'):rep(2^18) while true do response:write(big) end", stream = true },
	{ name = "response:flush", park = "local big = ('x'):rep(2^15) while true do response:write(big):flush() end", stream = true },
	{ name = "handle:wait", park = "task.spawn(timer.sleep, 60):wait()",
		completes = "return task.spawn(function() timer.sleep(0.001) return 'done' end):wait()",
		times_out = "return (select(3, task.spawn(timer.sleep, 60):wait(0.005)))",
		fails = "task.spawn(function() timer.sleep(0.001) error('e', 0) end):wait()" },
	{ name = "task.all", park = "task.all{ function() timer.sleep(60) end, function() timer.sleep(60) end }",
		completes = "return task.all{ function() timer.sleep(0.001) return 'done' end }[1]",
		times_out = "return (select(3, task.timeout(0.005, task.all, { function() timer.sleep(60) end })))",
		fails = "task.all{ function() timer.sleep(60) end, function() timer.sleep(0.001) error('e', 0) end }" },
	{ name = "task.race", park = "task.race{ function() timer.sleep(60) end, function() timer.sleep(60) end }",
		completes = "return task.race{ function() timer.sleep(60) end, function() timer.sleep(0.001) return 'done' end }",
		fails = "task.race{ function() timer.sleep(60) end, function() timer.sleep(0.001) error('e', 0) end }" },
	{ name = "task.any", park = "task.any{ function() timer.sleep(60) end, error }",
		completes = "return task.any{ error, function() timer.sleep(0.001) return 'done' end }",
		fails = "task.any{ function() timer.sleep(0.001) error('e', 0) end }" },
	{ name = "task.timeout", park = "task.timeout(60, timer.sleep, 60)",
		completes = "return task.timeout(60, function() timer.sleep(0.001) return 'done' end)",
		times_out = "return (select(3, task.timeout(0.005, timer.sleep, 60)))",
		fails = "task.timeout(60, function() timer.sleep(0.001) error('e', 0) end)" },
	{ name = "semaphore:acquire", park = "local s = task.semaphore(1) local p = s:acquire() s:acquire()",
		completes = "local s = task.semaphore(1) local p = s:acquire() task.spawn(function() timer.sleep(0.001) p:release() end) return s:acquire() and 'done'",
		times_out = "local s = task.semaphore(1) local p = s:acquire() return (select(3, s:acquire(0.005)))" },
	{ name = "queue:get", park = "task.queue():get()",
		completes = "local q = task.queue() task.spawn(function() timer.sleep(0.001) q:put('done') end) return q:get()",
		times_out = "return (select(3, task.queue():get(0.005)))" },
	{ name = "queue:put", park = "local q = task.queue(1) q:put(1) q:put(2)",
		completes = "local q = task.queue(1) q:put(1) task.spawn(function() timer.sleep(0.001) q:get() end) return q:put(2) and 'done'",
		times_out = "local q = task.queue(1) q:put(1) return (select(3, q:put(2, 0.005)))" },
	-- when the generation retires get ends at once; then this waits on
	{ name = "subscription:get", park = "require('tidegate.channel').open('c'):subscribe():get() timer.sleep(60)",
		completes = "local c = require('tidegate.channel').open('c' .. request.id) local s = c:subscribe() "
			.. "task.spawn(function() timer.sleep(0.001) c:publish('done') end) return (s:get())",
		times_out = "return (select(3, require('tidegate.channel').open('c'):subscribe():get(0.005)))" },
	{ name = "dns.resolve", park = "require('tidegate.dns').resolve('silent.test', 'A', { servers = 'NAMES' })",
		completes = "return require('tidegate.dns').resolve('slow.test', 'A', { servers = 'NAMES' }) and 'done'",
		times_out = "return (select(3, require('tidegate.dns').resolve('silent.test', 'A', { servers = 'NAMES', timeout = 0.005 })))" },
	{ name = "socket.connect", park = "require('tidegate.socket').connect('127.0.0.1', SILENT, { tls = true, timeout = 60 })",
		completes = "local s <close> = require('tidegate.socket').connect('localhost', PORT) return s and 'done'",
		times_out = "return (select(3, require('tidegate.socket').connect('127.0.0.1', SILENT, { tls = true, timeout = 0.005 })))" },
	{ name = "socket:read", park = "local s <close> = assert(require('tidegate.socket').connect('127.0.0.1', SILENT)) s:read(1)",
		completes = "local s <close> = require('tidegate.socket').connect('127.0.0.1', PORT) s:write(" .. get .. ") return s:read('all') and 'done'",
		times_out = "local s <close> = require('tidegate.socket').connect('127.0.0.1', SILENT) return (select(3, s:read(1, { timeout = 0.005 })))" },
	{ name = "socket:write", park = "local s <close> = require('tidegate.socket').connect('127.0.0.1', SILENT) while true do s:write(('x'):rep(2^18)) end",
		completes = "local s <close> = require('tidegate.socket').connect('127.0.0.1', PORT) return s:write(" .. get .. ") and 'done'",
		times_out = "local s <close> = require('tidegate.socket').connect('127.0.0.1', SILENT) s:timeout(0.005) "
			.. "local ok, _, code repeat ok, _, code = s:write(('x'):rep(2^18)) until not ok return code" },
	{ name = "udp:receive", park = "local u <close> = require('tidegate.socket').udp() u:bind('127.0.0.1') u:receive()",
		completes = "local u <close> = require('tidegate.socket').udp() u:bind('127.0.0.1') "
			.. "task.spawn(function() timer.sleep(0.001) u:send('done', u.address, u.port) end) return (u:receive())",
		times_out = "local u <close> = require('tidegate.socket').udp() u:bind('127.0.0.1') return (select(3, u:receive{ timeout = 0.005 }))" },
	{ name = "event:wait", park = "task.event():wait()",
		completes = "local e = task.event() task.spawn(function() timer.sleep(0.001) e:set() end) return e:wait() and 'done'",
		times_out = "return (select(3, task.event():wait(0.005)))" },
	{ name = "http.get", park = "http.get(origin .. '/silent')",
		completes = "return http.get(origin .. '/done'):text()",
		times_out = "return (select(3, http.get(origin .. '/silent', { timeout = 0.05 })))" },
	{ name = "http.post", park = "local x = ('x'):rep(2^16) http.post(origin .. '/silent', { body = function() return x end })",
		completes = "return http.post(origin .. '/done', { body = 'x' }):text()",
		times_out = "return (select(3, http.post(origin .. '/silent', { body = 'x', first_byte_timeout = 0.05 })))" },
	{ name = "text() of http", park = "http.get(origin .. '/begun'):text()",
		times_out = "return (select(3, http.get(origin .. '/begun', { idle_timeout = 0.05 }):text()))" },
	{ name = "chunks() of http", park = "for _ in http.get(origin .. '/begun'):chunks() do end" },
	{ name = "http.all", park = "http.all{ origin .. '/silent', origin .. '/silent' }",
		completes = "return http.all{ a = origin .. '/done' }.a:text()",
		times_out = "return select(2, http.all{ a = { url = origin .. '/silent', timeout = 0.05 } }).a.code" },
}

-- Where a wait may stand; ... is the wait.
local places = {
	{ "a handler", "..." },
	{ "pcall", "return select(2, pcall(function() ... end))" },
	{ "a coroutine", "return coroutine.wrap(function() ... end)()" },
	{ "coroutines in pcall in a coroutine", "return coroutine.wrap(function() return select(2, pcall(coroutine.wrap(function() ... end))) end)()" },
	{ "a metamethod", "return setmetatable({}, { __index = function() ... end }).x" },
	{ "a to-be-closed variable's end", "local r do local _ <close> = setmetatable({}, { __close = function() r = (function() ... end)() end }) end return r" },
	{ "a child", "return task.spawn(function() ... end):wait()" },
}

local function at(place, code)
	return (place:gsub("%.%.%.", function() return code end))
end

local run = [[
local http = require("tidegate.http")
local shared = require("tidegate.shared").open("marks")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

local function mark(name)
	shared:set(name, "waits")
	return setmetatable({}, { __close = function() shared:set(name, "ended") end })
end

return { limits = { memory = 4 * 2^20, wait = 600 }, POST = function(request, response)
	local _ <close> = mark(request.query.mark or "nobody")
	local code = "local task, timer, request, response, http, origin = ... " .. request.headers["x-code"]
	return assert(load(code, "=run"))(task, timer, request, response, http, request.headers["x-origin"])
end }]]

local marks = [[
local shared = require("tidegate.shared").open("marks")
return function(request) return tostring(shared:get(request.query.name)) end]]

-- What requests of its own ask.
local options = {
	files = {
		["handlers/silent.lua"] = "return { GET = function() require('tidegate.timer').sleep(60) end, POST = function() require('tidegate.timer').sleep(60) end }",
		["handlers/begun.lua"] = "return function(_, response) response:write('x') require('tidegate.timer').sleep(60) end",
		["handlers/done.lua"] = "return function() return 'done' end",
		["handlers/run.lua"] = run,
		["handlers/marks.lua"] = marks,
	},
	flags = { "--drain-timeout", "0.2" },
}

describe("a wait", function()
	local gateway, connection
	local number = 0

	lazy_setup(function()
		servers = name_server.start()
	end)

	lazy_teardown(function()
		servers:stop()
	end)

	local function ask(client, code, body, name)
		local ports = { NAMES = servers.address, PORT = gateway.port, SILENT = select(2, silent:getsockname()) }
		code = code:gsub("%u%u%u%u+", function(word) return ports[word] and tostring(ports[word]) end)
		local content = "Content-Length: 0\r\n\r\n"
		if body then
			content = ("Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s"):format(body.type, #body.first + #body.last, body.first)
		end
		client:send(("POST /run?mark=%s HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\nX-Origin: http://127.0.0.1:%d\r\nX-Code: %s\r\n%s")
			:format(name or "nobody", gateway.port, code, content))
	end

	local function answer(code, body)
		local client = body and gateway:connect() or connection
		ask(client, code, body)
		local response = client:response()
		if body then
			client:close() -- its content never comes
		end
		return response
	end

	local function mark(name)
		return gateway:get("/marks?name=" .. name).body
	end

	-- A client whose handler has begun, and the name of its mark.  It may have
	-- ended again before anybody looks.
	local function begin(wait, code)
		number = number + 1
		local client, name = gateway:connect(), "m" .. number
		ask(client, code or wait.park, wait.body, name)
		program.await("it to begin", function() return mark(name) ~= "nil" end)
		return client, name
	end

	local function has_ended(name)
		program.await("its end", function() return mark(name) == "ended" end)
	end

	for _, wait in ipairs(waits) do
		describe("in " .. wait.name, function() -- a gateway for each, and so a census
			around(options, function(g, c)
				gateway, connection = g, c
			end)

			if wait.completes then
				it("completes", function()
					for _, place in ipairs(places) do
						assert.equal("done", answer(at(place[2], wait.completes)).body, place[1])
					end
				end)
			end

			if wait.whole then
				it("completes", function()
					for _, place in ipairs(places) do
						local client = begin(wait, at(place[2], wait.park))
						client:send(wait.body.last)
						assert.equal(wait.whole, client:response().body, place[1])
						client:close()
					end
				end)
			end

			if not wait.stream then
				it("times out", function()
					local code = wait.times_out or ("return (select(3, task.timeout(0.005, function() %s end)))"):format(wait.park)
					for _, place in ipairs(places) do
						assert.equal("timeout", answer(at(place[2], code), wait.body).body, place[1])
					end
				end)
			end

			if wait.fails then
				it("fails with what it waits for", function()
					local response = answer(wait.fails)
					assert.equal(500, response.status)
					assert.matches("e$", answer(at(places[4][2], wait.fails)).body)
				end)
			end

			it("is cancelled when the client leaves", function()
				for _, place in ipairs(places) do
					local client, name = begin(wait, at(place[2], wait.park))
					assert.equal("waits", mark(name), place[1])
					client.stream:setoption("linger", { on = true, timeout = 0 })
					client:close()
					has_ended(name)
				end
			end)

			it("is cancelled by the parent", function()
				local code = ("local h = task.spawn(function() %s end) timer.sleep(0.001) h:cancel() %s"):format(wait.park,
					wait.stream and "h:wait() error('cancelled')" or "return (select(2, h:wait()))")
				local client, name = begin(wait, code)
				if wait.stream then
					client:close()
				else
					local response = client:response()
					assert.equal("200 cancelled", response.status .. " " .. response.body)
					client:close()
				end
				has_ended(name)
			end)

			it("is cancelled when its parent ends", function()
				local client, name = begin(wait, ("task.spawn(function() %s end) timer.sleep(0.05) return 'ended'"):format(wait.park))
				if not wait.stream then
					assert.equal("ended", client:response().body)
				end
				has_ended(name)
				client:close()
			end)

			it("is cancelled at its generation's deadline", function()
				local clients, names = {}, {}
				for i, place in ipairs(places) do
					clients[i], names[i] = begin(wait, at(place[2], wait.park))
					assert.equal("waits", mark(names[i]), place[1])
				end
				gateway:replace({})
				for i in ipairs(places) do
					has_ended(names[i])
					if not wait.stream then
						assert.equal(503, clients[i]:response().status)
					end
					clients[i]:close()
				end
			end)

			it("cannot be where Lua cannot be left", function()
				local client = gateway:connect()
				ask(client, ("return select(2, pcall(string.gsub, 'a', 'a', function() %s end))"):format(wait.park), wait.body)
				if wait.stream then
					client:rest()
				else
					local response = client:response()
					assert.matches("cannot wait here: inside a call", response.body, 1, true)
				end
				client:close()
			end)

			it("ends its task if there is no memory for it", function()
				local hog = "local t for _, n in ipairs{ 1000, 60 } do pcall(function() while true do t = { t, ('x'):rep(n) } end end) end "
				local client = gateway:connect()
				ask(client, hog .. ("task.spawn(function() %s end):wait()"):format(wait.park), wait.body)
				assert.equal(503, client:response().status)
				client:close()
				assert.equal("fine", answer("return 'fine'").body)
			end)
		end)
	end
end)
