-- tidegate.socket, with the spec at the other end.

local around = require("tests.support.around")
local peers = require("tests.support.peer")
local program = require("tests.support.program")
local socket = require("socket")

local run = [[
local buffer = require("tidegate.buffer")
local shared = require("tidegate.shared").open("marks")
local socket = require("tidegate.socket")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

return { limits = { wait = 600 }, POST = function(request)
	local names = "local socket, task, timer, buffer, shared, port = ... "
	local values = table.pack(assert(load(names .. request:text(), "=run"))(socket, task, timer, buffer, shared,
		tonumber(request.query.port)))
	for i = 1, values.n do
		values[i] = tostring(values[i])
	end
	return table.concat(values, " | ")
end }]]

describe("tidegate.socket", function()
	local gateway, connection, peer
	local late = "return function() return tostring(require('tidegate.shared').open('marks'):get('late')) end"
	around({ files = { ["handlers/run.lua"] = run, ["handlers/late.lua"] = late } }, function(g, c)
		gateway, connection = g, c
	end)

	before_each(function()
		peer = peers.listen()
	end)

	after_each(function()
		peer:close()
	end)

	local function begin(code)
		connection:ask("POST", "/run?port=" .. peer.port, { "Accept: text/plain" }, code)
	end

	local function result()
		return connection:response().body
	end

	local function value_of(code)
		begin(code)
		return result()
	end

	-- Runs code whose `s` is connected to the spec's end.
	local function meet(code)
		begin("local s <close> = assert(socket.connect('127.0.0.1', port)) " .. code)
		return peer:accept()
	end

	describe("connect", function()
		it("says whom it has connected to", function()
			meet("return s.remote.address, s.remote.port == port, s.tls, s.buffered"):close()
			assert.equal("127.0.0.1 | true | nil | 0", result())
		end)

		it("takes all of it as a table", function()
			begin("local s <close> = socket.connect{ host = 'localhost', port = port, timeout = 5 } return s:read('line')")
			local stream = peer:accept()
			stream:send("hi\n")
			assert.equal("hi", result())
			stream:close()
		end)

		it("connects to a unix socket below the project", function()
			local listener = require("socket.unix")()
			assert(listener:bind(gateway.project.path .. "/s"))
			assert(listener:listen())
			listener:settimeout(program.patience)
			begin("local s <close> = assert(socket.connect('unix:s')) s:write('hello') return s:read('line')")
			local stream = assert(listener:accept())
			assert.equal("hello", stream:receive(5))
			stream:send("hi\n")
			assert.equal("hi", result())
			stream:close()
			listener:close()
		end)

		it("connects by IPv6", function()
			local six = peers.listen("::1")
			begin(("local s <close> = assert(socket.connect('::1', %d)) return s.remote.address"):format(six.port))
			six:accept():close()
			assert.equal("::1", result())
			six:close()
		end)

		local failures = {
			{ "nobody listens", "'127.0.0.1', 1", "nil | cannot connect to 127.0.0.1:1: Connection refused | refused" },
			{ "there is no such socket", "'unix:none'", "^nil | cannot connect to unix:.*/none: No such file or directory | ENOENT$" },
			{ "the path is too long", "'unix:' .. ('x'):rep(200)", ": File name too long | ENAMETOOLONG$" },
			{ "there is no such name", "'no..name', 1", "nil | cannot resolve no..name: it is no name of a host | resolve" },
		}
		for _, failure in ipairs(failures) do
			it("fails when " .. failure[1], function()
				local got = value_of(("return socket.connect(%s)"):format(failure[2]))
				if got ~= failure[3] then
					assert.matches(failure[3], got)
				end
			end)
		end

		it("times out", function()
			local full = assert(socket.tcp())
			assert(full:bind("127.0.0.1", 0))
			assert(full:listen(0))
			local _, port = full:getsockname()
			local fillers = {}
			for i = 1, 4 do
				fillers[i] = assert(socket.tcp())
				fillers[i]:settimeout(0)
				fillers[i]:connect("127.0.0.1", port)
			end
			local got = value_of(("return socket.connect('127.0.0.1', %d, { timeout = 0.05 })"):format(port))
			assert.equal(("nil | cannot connect to 127.0.0.1:%d: timed out | timeout"):format(port), got)
			for _, filler in ipairs(fillers) do
				filler:close()
			end
			full:close()
		end)

		local misuses = {
			{ "socket.connect()", "bad argument #1 to 'connect'" },
			{ "socket.connect('x')", "bad argument #2 to 'connect'" },
			{ "socket.connect('x', 0)", "'port' is an integer from 1 to 65535" },
			{ "socket.connect('x', 65536)", "'port' is an integer from 1 to 65535" },
			{ "socket.connect('', 1)", "'host' is the name or the address of a server" },
			{ "socket.connect{}", "'host' is the name or the address of a server" },
			{ "socket.connect{ host = 'x', port = 1, time = 1 }", "unknown option 'time' of socket.connect" },
			{ "socket.connect('x', 1, { tls = 1 })", "tls is true or a table of options" },
			{ "socket.connect('x', 1, { tls = { verfy = true } })", "unknown option 'verfy' of tls; did you mean 'verify'?" },
			{ "socket.connect('127.0.0.1', 1, { tls = { server_name = '' } })", "'server_name' of tls is a name or an address" },
			{ "socket.connect('127.0.0.1', 1, { tls = { server_name = 'a\\0b' } })", "'server_name' of tls is a name or an address" },
			{ "socket.connect('unix:x\\0y')", "(not a path)" },
			{ "socket.connect('unix:x', { tls = true })", "TLS needs the name of the server: server_name" },
			{ "socket.connect('x', 1, { timeout = -1 })", "out of range" },
		}
		for _, misuse in ipairs(misuses) do
			it("raises at " .. misuse[1], function()
				local got = value_of(("return select(2, pcall(function() %s end))"):format(misuse[1]))
				assert.matches("run:1: .*" .. misuse[2]:gsub("%p", "%%%0"), got)
			end)
		end

		it("cannot be before the handlers are loaded", function()
			gateway.project:write("handlers/early.lua", "require('tidegate.socket').connect('127.0.0.1', 1)")
			local _, errors, code = gateway:reload()
			assert.matches("early.lua:1: cannot wait here", errors, 1, true)
			assert.equal(1, code)
			os.remove(gateway.project.path .. "/handlers/early.lua")
		end)
	end)

	describe("read", function()
		local cases = {
			{ "so many bytes", "return s:read(3), s:read(2), s.buffered", { "ab", "cdefg" }, "abc | de | 2" },
			{ "a line", "return s:read('line'), s:read('line'), s:read('line')", { "one\r\n", "two\nth", "r\ree\n" }, "one | two | thr\ree" },
			{ "an empty line", "return s:read('line'), s:read('line')", { "\n\r\n" }, " | " },
			{ "all there is", "return s:read('all'), s:read('all')", { "ab", "cd" }, "abcd | " },
			{ "some of it", "local t = {} for piece in function() return (s:read('some')) end do t[#t + 1] = piece end return table.concat(t)",
				{ "ab", "cd" }, "abcd" },
			{ "no more than some", "return s:read('some', { limit = 2 }), s:read('some', { limit = 2 })", { "abc" }, "ab | c" },
			{ "up to a text", "return s:read_until('--'), s:read_until('--')", { "a-b-", "-c--d" }, "a-b | c" },
			{ "up to a text with magic in it", "return s:read_until('%d+')", { "12%d", "+3" }, "12" },
			{ "bytes of any value", "return #s:read(4)", { "\0\r\n\xFF" }, "4" },
			{ "too few bytes", "return s:read(10)", { "abc" }, "nil | closed | closed | abc" },
			{ "a line without an end", "return s:read('line')", { "abc" }, "nil | closed | closed | abc" },
			{ "nothing", "return s:read('some')", {}, "nil | closed | closed | " },
			{ "nothing, again and again", "s:read('some') return s:read('some')", {}, "nil | closed | closed | " },
			{ "a line that is too long", "return s:read('line', { limit = 3 })", { "abcd\n" }, "nil | it is longer than 3 bytes | toolong" },
			{ "a line that is too long and has no end", "return s:read('line', { limit = 3 })", { "abcd" },
				"nil | it is longer than 3 bytes | toolong" },
			{ "a line as long as it may be", "return s:read('line', { limit = 3 })", { "abc", "\n" }, "abc" },
			{ "a text that is too far", "return s:read_until('--', { limit = 3 })", { "abcdef" }, "nil | it is longer than 3 bytes | toolong" },
			{ "more than all", "return s:read('all', { limit = 3 })", { "abcd" }, "nil | it is longer than 3 bytes | toolong" },
			{ "bytes to a buffer", "local b = buffer.new('>') return s:read(3, { into = b }), s:read('line', { into = b }), "
				.. "s:read('some', { into = b }), tostring(b)", { "abcd\r\nef" }, "3 | 1 | 2 | >abcdef" },
			{ "what there was to a buffer", "local b = buffer.new() local _, _, code, n = s:read(9, { into = b }) return code, n, tostring(b)",
				{ "abc" }, "closed | 3 | abc" },
			{ "all to a buffer", "local b = buffer.new() return s:read('all', { into = b }), #b", { "abc" }, "3 | 3" },
			{ "what is left of what was too long", "s:read('line', { limit = 3 }) return s:read(4)", { "abcd\n" }, "abcd" },
		}
		for _, case in ipairs(cases) do
			it("gives " .. case[1], function()
				local stream = meet(case[2])
				for _, piece in ipairs(case[3]) do
					stream:send(piece)
					socket.sleep(0.002)
				end
				stream:close()
				assert.equal(case[4], result())
			end)
		end

		it("gives megabytes", function()
			local stream = meet("return #s:read(3000000), #s:read('all')")
			assert(stream:send(("x"):rep(5000000)))
			stream:close()
			assert.equal("3000000 | 2000000", result())
		end)

		it("times out and loses nothing", function()
			local stream = meet("local a, b, c = s:read(4, { timeout = 0.02 }) shared:set('late', true) return a, b, c, s:read(4)")
			stream:send("ab")
			program.await("its timeout", function() return gateway:get("/late").body == "true" end)
			stream:send("cd")
			assert.equal("nil | timed out | timeout | abcd", result())
			stream:close()
		end)

		it("has the time that is set for all", function()
			local stream = meet("local before = s:timeout() s:timeout(0.01) return before, s:timeout(), select(3, s:read(1))")
			assert.equal("60.0 | 0.01 | timeout", result())
			stream:close()
			stream = meet("return s:timeout(false), s:read(1)")
			stream:send("x")
			assert.equal("false | x", result())
			stream:close()
		end)

		it("says that the connection was reset", function()
			local stream = meet("s:write('?') return s:read(10)")
			assert.equal("?", stream:receive(1))
			peers.reset(stream)
			local got = result()
			assert.matches("^nil | the connection was reset | reset | ", got)
		end)

		it("is for one task at a time", function()
			local stream = meet("local h = task.spawn(s.read, s, 1) timer.sleep(0.001) local a, b, c = s:read(1) s:write('?') return a, b, c, h:wait()")
			assert.equal("?", stream:receive(1))
			stream:send("x")
			assert.equal("nil | another task reads from this socket | busy | x", result())
			stream:close()
		end)

		it("ends when another task closes the socket", function()
			local stream = meet("local h = task.spawn(s.read, s, 1) timer.sleep(0.001) s:close() return s:close(), h:wait()")
			assert.equal("false | nil | closed | closed", result())
			stream:close()
		end)

		it("goes on with what came while somebody writes", function()
			local stream = meet("local h = task.spawn(s.read, s, 4) timer.sleep(0.001) s:write('ping') return h:wait()")
			assert.equal("ping", stream:receive(4))
			stream:send("pong")
			assert.equal("pong", result())
			stream:close()
		end)

		local misuses = {
			{ "s:read()", "bad argument #1 to 'read'" },
			{ "s:read('lines')", "invalid option 'lines'" },
			{ "s:read(0)", "a number of bytes" },
			{ "s:read(1.5)", "number has no integer representation" },
			{ "s:read(2^40)", "no more than memory_limit" },
			{ "s:read(1, { limits = 1 })", "unknown option 'limits' of read" },
			{ "s:read('line', { limit = 0 })", "'limit' is a number of bytes" },
			{ "s:read(1, { into = 'x' })", "'into' is a buffer, not a string" },
			{ "s:read_until('')", "an empty text" },
			{ "s:write({})", "bad argument #1 to 'write'" },
			{ "s:shutdown('read')", "invalid option 'read'" },
			{ "s.read({}, 1)", "tidegate.socket expected" },
		}
		for _, misuse in ipairs(misuses) do
			it("raises at " .. misuse[1], function()
				local stream = meet(("return select(2, pcall(function() %s end))"):format(misuse[1]))
				assert.matches(misuse[2], result(), 1, true)
				stream:close()
			end)
		end
	end)

	describe("write", function()
		it("sends strings and what is in buffers", function()
			local stream = meet("local b = buffer.new('ffer') return s:write('a', 1, ' bu', b, '!'), #b")
			assert.equal("a1 buffer!", stream:receive(10))
			assert.equal("true | 0", result())
			stream:close()
		end)

		it("waits while the other side is slow", function()
			local stream = meet("local n = 0 for i = 1, 20 do assert(s:write(('x'):rep(500000))) n = n + 1 end return n")
			socket.sleep(0.05)
			local data = assert(stream:receive(10000000))
			assert.equal(10000000, #data)
			assert.equal("20", result())
			stream:close()
		end)

		it("times out, and then nothing is sent any more", function()
			local stream = meet("s:timeout(0.05) local a, b, c repeat a, b, c = s:write(('x'):rep(2^20)) until not a "
				.. "return b, c, s:write('more')")
			assert.equal("timed out | timeout | nil | an earlier write was not finished | broken", result())
			stream:close()
		end)

		it("fails when the other side is gone", function()
			local stream = meet("s:write('?') s:read('line') local a, b, c repeat a, b, c = s:write('x') timer.sleep(0.001) until not a return c")
			assert.equal("?", stream:receive(1))
			peers.reset(stream)
			assert.matches("^reset$", (result():gsub("closed", "reset")))
		end)

		it("is for one task at a time", function()
			local stream = meet("local h = task.spawn(function() repeat local ok = s:write(('x'):rep(2^20)) until not ok end) "
				.. "local a, b, c repeat timer.sleep(0.001) a, b, c = s:write('y') until not a h:cancel() h:wait() return a, b, c, s:write('z')")
			assert.equal("nil | another task writes to this socket | busy | nil | an earlier write was not finished | broken", result())
			stream:close()
		end)

		it("ends with shutdown, and reading goes on", function()
			local stream = meet("s:write('bye') s:shutdown('write') return select(3, s:write('x')), s:read('all')")
			assert.equal("bye", stream:receive("*a"))
			stream:send("good bye")
			stream:close()
			assert.equal("closed | good bye", result())
		end)
	end)

	describe("a socket", function()
		it("is closed when its variable ends", function()
			begin("do local s <close> = assert(socket.connect('127.0.0.1', port)) end s = nil return socket.kept")
			local stream = peer:accept()
			assert.same({ nil, "closed", "" }, { stream:receive(1) })
			stream:close()
			result()
		end)

		it("is closed when it is collected", function()
			begin("socket.connect('127.0.0.1', port) collectgarbage() collectgarbage() return 'done'")
			local stream = peer:accept()
			assert.equal("done", result())
			assert.same({ nil, "closed", "" }, { stream:receive(1) })
			stream:close()
		end)

		it("stays closed", function()
			local stream = meet("s:close() return s:read(1), s:write('x'), s:shutdown('write'), s:start_tls(), s.remote, s.tls, s.buffered")
			assert.equal("nil | nil | nil | nil | nil | nil | 0", result())
			stream:close()
		end)

		it("is closed with its generation", function()
			gateway:replace({ ["handlers/keep.lua"] = [[
				local socket = require("tidegate.socket")
				local kept
				return function(request) kept = assert(socket.connect("127.0.0.1", tonumber(request.query.port))) return "kept" end]] })
			assert.equal("kept", gateway:get("/keep?port=" .. peer.port).body)
			local stream = peer:accept()
			gateway:replace({})
			assert.same({ nil, "closed", "" }, { stream:receive(1) })
			stream:close()
		end)
	end)
end)
