-- Dictionaries that a file keeps over restarts, and over kill -9.

local socket = require("socket")

local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local run = [[
local shared = require("tidegate.shared")
return { POST = function(request)
	local code = "local shared, dict = ... " .. request:text()
	return assert(load(code, "=run"))(shared, shared.open("kept"))
end }
]]

local function open_with(options)
	return ("local dict = require('tidegate.shared').open('kept', { %s })\nreturn function() end\n"):format(options)
end

local function files(options)
	return { ["handlers/run.lua"] = run, ["handlers/open.lua"] = open_with(options) }
end

local function ask(gateway, code)
	local response = gateway:fetch("POST", "/run", { accept = "text/plain" }, code)
	assert.equal(200, response.status, response.body .. gateway:log():sub(-600))
	return response.body
end

-- Ends it as a power cut would: nobody has time to do anything.
local function kill(gateway)
	assert(os.execute(("kill -KILL %d %d"):format(gateway.pid, gateway:worker())))
	gateway:wait()
	assert.not_match("Sanitizer", gateway.last_log)
end

-- What SQLite's own program says of the file.
local function sqlite(project, text)
	local pipe = assert(io.popen(("sqlite3 %s %s 2>&1"):format(projects.quote(project.path .. "/data/kept.db"), projects.quote(text))))
	local output = pipe:read("a")
	pipe:close()
	return (output:gsub("\n$", ""))
end

describe("a dictionary with a file", function()
	local project

	before_each(function()
		project = projects.new(files("file = 'data/kept.db', sync = 0.05"))
	end)

	after_each(function()
		project:delete()
	end)

	local function start(options)
		options = options or {}
		options.project = project
		return server.start(options)
	end

	local fill = [[
		local json = require("tidegate.json")
		dict:set("true", true) dict:set("false", false) dict:set("null", json.null)
		dict:set("int", math.mininteger) dict:set("float", 0.1) dict:set("nan", 0/0) dict:set("huge", -math.huge)
		dict:set("", "empty key") dict:set("\0\255", "\0\0") dict:set("long", ("x"):rep(3000000)) dict:set("no text", "")
		dict:set("table", { 1, { a = { true, 2.5 } }, json.array({}) })
		dict:push_last("list", 1) dict:push_last("list", "two") dict:push_last("list", { 3 }) dict:push_last("list", "")
		dict:set("mortal", 1, 1000) dict:set("gone", 1, 0.001) dict:set("deleted", 1) dict:delete("deleted")
		for i = 1, 2000 do dict:set("n" .. i, i) end
		for i = 1, 2000, 2 do dict:delete("n" .. i) end
		return "ok"]]

	local check = [[
		local json = require("tidegate.json")
		assert(dict:get("true") == true and dict:get("false") == false and dict:get("null") == json.null)
		assert(dict:get("int") == math.mininteger and dict:get("float") == 0.1 and dict:get("huge") == -math.huge)
		assert(dict:get("nan") ~= dict:get("nan") and math.type(dict:get("int")) == "integer")
		assert(dict:get("") == "empty key" and dict:get("\0\255") == "\0\0" and dict:get("long") == ("x"):rep(3000000) and dict:get("no text") == "")
		local t = dict:get("table")
		assert(t[1] == 1 and t[2].a[1] == true and t[2].a[2] == 2.5 and json.encode(t[3]) == "[]")
		assert(dict:length("list") == 4 and dict:pop_first("list") == 1 and dict:pop_last("list") == "")
		assert(dict:pop_last("list")[1] == 3 and dict:pop_last("list") == "two")
		assert(dict:ttl("mortal") > 900 and dict:ttl("mortal") <= 1000 and dict:ttl("int") == math.huge)
		assert(dict:get("gone") == nil and dict:get("deleted") == nil)
		for i = 1, 2000 do assert(dict:get("n" .. i) == (i % 2 == 0 and i or nil)) end
		return tostring(dict:size())]]

	it("has everything again after a stop", function()
		local gateway = start()
		assert.equal("ok", ask(gateway, fill))
		gateway:stop()
		assert.equal("ok", sqlite(project, "PRAGMA integrity_check"))
		assert.equal("-9223372036854775808", sqlite(project, "SELECT value FROM entries WHERE key = CAST('int' AS BLOB)"))
		gateway = start()
		assert.equal("1013", ask(gateway, check)) -- 1000 numbers and 14 others, less the list
		gateway:stop()
		gateway = start()
		assert.equal("0", ask(gateway, "return tostring(dict:length('list'))"))
		gateway:stop()
	end)

	it("has everything again after a stop that came before the first save", function()
		project:write("handlers/open.lua", open_with("file = 'data/kept.db', sync = 3600"))
		local gateway = start()
		ask(gateway, fill)
		gateway:stop()
		gateway = start()
		ask(gateway, check)
		ask(gateway, "dict:flush() dict:set('after', 1) return ''")
		gateway:stop()
		gateway = start()
		assert.equal("1 1", ask(gateway, "return dict:size() .. ' ' .. dict:get('after')"))
		gateway:stop()
	end)

	it("is saved while the gateway runs, and reloaded", function()
		local gateway = start()
		ask(gateway, "dict:set('n', 7) return ''")
		gateway:replace({ ["handlers/new.lua"] = "return function() end" })
		ask(gateway, "dict:set('m', 8) return ''")
		socket.sleep(0.3)
		kill(gateway)
		gateway = start()
		assert.equal("78", ask(gateway, "return dict:get('n') .. dict:get('m')"))
		gateway:stop()
	end)

	it("loses one interval at most to kill -9 at any moment, and is never damaged #threads", function()
		local interval, patience = 0.1, 1.5
		project:write("handlers/open.lua", open_with("file = 'data/kept.db', sync = " .. interval))
		math.randomseed(os.time())
		local least = 0 -- what must be there
		for _ = 1, 8 do
			local gateway = start({ threads = 2 })
			local text = ask(gateway, [[
				local n = dict:get("n") or 0
				for i = 1, 20 do -- each value is whole
					local t = dict:get("t" .. i)
					assert(t == nil or #t.text == t.n % 5000 and t.copy == t.n)
				end
				return tostring(n)]])
			local number = tonumber(text)
			assert.is_true(number >= least, ("%d is there, and %d should be"):format(number, least))
			local client = gateway:connect()
			local acknowledged = {} -- { time, number }
			local stop = socket.gettime() + math.random() * 3
			while socket.gettime() < stop do
				number = tonumber(client:fetch("POST", "/run", nil, [[
					local n = dict:incr("n")
					dict:set("t" .. n % 20 + 1, { n = n, text = ("x"):rep(n % 5000), copy = n })
					dict:push_last("list" .. n % 3, n)
					if n % 50 == 0 then dict:delete("list" .. n % 3) end
					return tostring(n)]]).body)
				acknowledged[#acknowledged + 1] = { socket.gettime(), number }
			end
			local killed = socket.gettime()
			kill(gateway)
			for _, one in ipairs(acknowledged) do
				if one[1] < killed - interval - patience then
					least = one[2]
				end
			end
			client:close()
			assert.equal("ok", sqlite(project, "PRAGMA integrity_check"))
		end
	end)

	it("is there again when a worker was killed, and another one goes on", function()
		local gateway = start()
		gateway.may_lose_workers = true
		ask(gateway, "dict:set('n', 7) return ''")
		socket.sleep(0.5)
		local worker = gateway:worker()
		assert(os.execute("kill -KILL " .. worker))
		program.await("another worker", function()
			local ok, text = pcall(ask, gateway, "return tostring(dict:get('n'))")
			return ok and text == "7"
		end)
		ask(gateway, "dict:set('m', 8) return ''")
		gateway:stop()
		gateway = start()
		assert.equal("78", ask(gateway, "return dict:get('n') .. dict:get('m')"))
		gateway:stop()
	end)

	it("is written when code that never returns is cut off", function()
		project:write("handlers/open.lua", open_with("file = 'data/kept.db', sync = 3600"))
		project:write("handlers/lost.lua", "return function() return ('a'):rep(300000):find('(.-)*b') end")
		local gateway = start({ threads = 2, flags = { "--time-limit", "0.2", "--shutdown-timeout", "0.2", "--stuck-timeout", "1000" } })
		gateway.may_lose_workers = true
		ask(gateway, "dict:set('n', 7) return ''")
		local client = gateway:connect()
		client:ask("GET", "/lost")
		gateway:wait_log("does not come back")
		gateway:signal("TERM")
		gateway:wait()
		client:close()
		assert.match("code that never returns was cut off", gateway.last_log)
		gateway = start()
		assert.equal("7", ask(gateway, "return tostring(dict:get('n'))"))
		gateway:stop()
	end)

	it("is handed over to a newer program, with what the old one stores last", function()
		project:write("handlers/hold.lua", [[
			local dict = require("tidegate.shared").open("kept")
			local timer = require("tidegate.timer")
			local held = 0
			return function(request)
				if request.query.hold then
					dict:set("holds", true)
					held = held + 1
					request:text() -- the client has it wait as long as it likes
					dict:set("late", "old") dict:delete("gone") dict:set("number", 2)
					return "stored"
				end
				return tostring(held)
			end]])
		local gateway = start()
		ask(gateway, "dict:set('gone', 1) dict:set('stays', 1) dict:set('number', 1) return ''")
		local client = gateway:connect()
		client:send("POST /hold?hold=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
		program.await("it to hold", function() return ask(gateway, "return tostring(dict:get('holds'))") == "true" end)
		socket.sleep(0.3) -- what was stored so far is in the file
		gateway:signal("USR2")
		local successor = program.await("a successor", function()
			local file = io.open(project.path .. "/.tidegate.pid")
			local number = file and tonumber(file:read("a"))
			return file and file:close() and number ~= gateway.pid and number
		end)
		local function new(code) -- asks the new one: the old one is about to go
			return program.await("the new one", function()
				local ok, response = pcall(gateway.fetch, gateway, "POST", "/run", nil, code)
				return ok and response.status == 200 and response.body
			end)
		end
		assert.equal("11", new("return dict:get('gone') .. dict:get('stays')"))
		client:send("cd")
		assert.equal("stored", client:response().body)
		client:close()
		program.await("what the old one stored", function() return new("return tostring(dict:get('late'))") == "old" end)
		program.await("what the old one deleted", function() return new("return tostring(dict:get('gone'))") == "nil" end)
		assert.equal("12", new("return dict:get('stays') .. dict:get('number')"))
		program.run("stop", project.path)
		program.await("its end", function() return not os.execute(("kill -0 %d 2>/dev/null"):format(successor)) end)
		assert.equal(0, gateway:wait())
		assert.equal("late", sqlite(project, "SELECT CAST(key AS TEXT) FROM entries WHERE key = CAST('late' AS BLOB)"))
	end)

	it("forgets what was evicted", function()
		project:write("handlers/open.lua", open_with("file = 'data/kept.db', sync = 0.05, limit = 50000"))
		local gateway = start()
		local left = ask(gateway, "for i = 1, 1000 do dict:set(i, ('x'):rep(200)) end return tostring(dict:size())")
		gateway:stop()
		assert.equal(left, sqlite(project, "SELECT count(*) FROM entries"))
	end)

	it("may be given its file while it has values: they stay, and are kept", function()
		local gateway = start()
		ask(gateway, "dict:set('a', 'file') dict:set('b', 'file') return ''")
		gateway:stop()
		project:write("handlers/open.lua", "return function() end")
		gateway = start()
		ask(gateway, "dict:set('b', 'memory') dict:set('c', 'memory') return ''")
		gateway:replace({ ["handlers/open.lua"] = open_with("file = 'data/kept.db', sync = 0.05") })
		assert.equal("file memory memory", ask(gateway, "return dict:get('a') .. ' ' .. dict:get('b') .. ' ' .. dict:get('c')"))
		gateway:stop()
		gateway = start()
		assert.equal("file memory memory", ask(gateway, "return dict:get('a') .. ' ' .. dict:get('b') .. ' ' .. dict:get('c')"))
		gateway:stop()
	end)

	describe("refuses in one sentence, with file and line,", function()
		local function refused(gateway, pattern)
			local _, errors, code = gateway:reload()
			assert.equal(1, code)
			assert.matches("handlers/open.lua:1: " .. pattern, errors)
		end

		local function without_file()
			project:write("handlers/open.lua", "return function() end")
			return start()
		end

		it("what is no database, and goes on", function()
			local gateway = without_file()
			ask(gateway, "dict:set('key', 'stays') return ''")
			project:write("data/kept.db", ("this is no database at all\n"):rep(100))
			project:write("handlers/open.lua", open_with("file = 'data/kept.db'"))
			refused(gateway, "%S+/data/kept.db: it is not a database")
			assert.equal("stays", ask(gateway, "return dict:get('key')"))
			project:remove("data/kept.db")
			assert.matches("serves", gateway:reload())
			assert.equal("stays", ask(gateway, "return dict:get('key')"))
			gateway:stop()
		end)

		it("a database of something else", function()
			local gateway = without_file()
			os.execute("mkdir -p " .. projects.quote(project.path .. "/data"))
			sqlite(project, "CREATE TABLE entries (key, value)")
			project:write("handlers/open.lua", open_with("file = 'data/kept.db'"))
			refused(gateway, "%S+/data/kept.db: it is a database of something else")
			gateway:stop()
		end)

		it("one of another version, and one that is damaged", function()
			local gateway = start()
			gateway:stop()
			sqlite(project, "PRAGMA user_version = 9")
			gateway = without_file()
			project:write("handlers/open.lua", open_with("file = 'data/kept.db'"))
			refused(gateway, "%S+/data/kept.db: it was written by another version of Tidegate")
			sqlite(project, "PRAGMA user_version = 1; INSERT INTO entries VALUES (x'61', 2, x'03ffffffffffffffff', 0, 0)")
			refused(gateway, "%S+/data/kept.db: it is damaged")
			sqlite(project, "DELETE FROM entries")
			assert.matches("serves", gateway:reload())
			gateway:stop()
		end)

		it("what cannot be opened", function()
			local gateway = without_file()
			project:write("handlers/open.lua", open_with("file = 'no/such/folder/kept.db'"))
			refused(gateway, "%S+/no/such/folder/kept.db: unable to open database file")
			gateway:stop()
		end)

		it("what another gateway has", function()
			local gateway = start()
			local other = server.start({ files = { ["handlers/open.lua"] = "return function() end" } })
			other.project:write("handlers/open.lua", open_with(("file = '%s/data/kept.db'"):format(project.path)))
			refused(other, "%S+/data/kept.db: another gateway has it")
			other:stop()
			gateway:stop()
		end)

		it("other options than it has", function()
			local gateway = start()
			for options, message in pairs({
				["file = 'data/other.db', sync = 0.05"] = "dictionary 'kept' is kept by %S+/data/kept.db already: only a restart changes it",
				["file = 'data/kept.db', sync = 5"] = "dictionary 'kept' is saved every 0.05 s already, not every 5 s: only a restart changes it",
				["file = 1"] = "option 'file' is a path",
				["sync = 1"] = "option 'sync' is the seconds between two writes of 'file', from 0.01 to 86400",
				["file = 'x.db', sync = 0"] = "option 'sync' is the seconds",
				["flie = 'x.db'"] = "unknown option 'flie' of open; did you mean 'file'%?",
			}) do
				project:write("handlers/open.lua", open_with(options))
				refused(gateway, message)
			end
			project:write("handlers/open.lua", open_with("file = 'data/kept.db'"))
			assert.matches("serves", gateway:reload())
			project:write("handlers/open.lua", "require('tidegate.shared').open('another', { file = 'data/kept.db' })")
			refused(gateway, "%S+/data/kept.db: it keeps dictionary 'kept' already")
			gateway:stop()
		end)
	end)

	it("goes on in memory while the disk is full, which is logged once, and is saved afterwards", function()
		local gateway = start({ environment = "ulimit -S -f 600;" })
		ask(gateway, "dict:set('before', 1) for i = 1, 100 do dict:set(i, ('x'):rep(50000)) end return ''")
		gateway:wait_log("cannot write '[^\n]*/data/kept.db': [^\n]*; dictionary 'kept' goes on in memory")
		socket.sleep(0.3)
		assert.equal("50000", ask(gateway, "return tostring(#dict:get(100))"))
		assert.equal(1, select(2, gateway:log():gsub("cannot write", "")))
		ask(gateway, "for i = 1, 100 do dict:delete(i) end dict:set('after', 2) return ''")
		assert(os.execute(("prlimit --pid %d --fsize=unlimited:"):format(gateway:worker())))
		gateway:wait_log("data/kept.db' is written again")
		kill(gateway)
		gateway = start()
		assert.equal("2 12", ask(gateway, "return dict:size() .. ' ' .. dict:get('before') .. dict:get('after')"))
		gateway:stop()
	end)

	it("is not touched by tidegate check", function()
		local _, errors, code = program.run("check", project.path)
		assert.equal(0, code, errors)
		assert.is_nil(io.open(project.path .. "/data/kept.db"))
	end)
end)
