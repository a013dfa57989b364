local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

describe("code that never returns", function()
	local forever = "while true do end"
	-- in C, where nothing can end it
	local stuck = "string.find(('a'):rep(2^20), ('.-'):rep(20) .. 'b')"

	local function ends_after_two_signals(gateway)
		gateway:signal("TERM")
		gateway:signal("TERM")
		assert.equal(1, gateway:wait())
		assert.match("code that never returns was cut off", gateway.last_log)
		assert.is_nil(io.open(gateway.project.path .. "/.tidegate.pid"))
		gateway.project:delete()
	end

	it("cannot keep the gateway alive when it is in a handler", function()
		local gateway = server.start({
			flags = { "--time-limit", "1000" },
			files = { ["handlers/a.lua"] = "return function() print('it runs') " .. stuck .. " end" },
		})
		gateway:connect():ask("GET", "/a")
		gateway:wait_log("it runs")
		ends_after_two_signals(gateway)
	end)

	it("is no more than a task to cancel when it is Lua in a handler", function()
		local gateway = server.start({
			flags = { "--time-limit", "1000" },
			files = { ["handlers/a.lua"] = "return function() print('it runs') " .. forever .. " end" },
		})
		gateway:connect():ask("GET", "/a")
		gateway:wait_log("it runs")
		gateway:replace({ ["handlers/b.lua"] = "return function() return 'new' end" })
		assert.equal("new", gateway:get("/b").body)
		gateway:signal("TERM")
		gateway:stop()
	end)

	it("cannot keep the gateway alive when it is loaded", function()
		local gateway = server.start({
			flags = { "--start-timeout", "1000" },
			files = { ["handlers/hello.lua"] = "return function() return 'hi' end" },
		})
		gateway.project:write("handlers/hello.lua", "print('it is loaded') " .. forever)
		gateway:signal("HUP")
		gateway:wait_log("it is loaded")
		ends_after_two_signals(gateway)
	end)

	it("makes a reload give up, not wait for ever", function()
		local gateway = server.start({
			flags = { "--start-timeout", "1", "--time-limit", "1000" },
			files = {
				["handlers/a.lua"] = "return function() print('it runs') " .. stuck .. " end",
				["tidegate.lua"] = "return {}",
			},
		})
		gateway:connect():ask("GET", "/a")
		gateway:wait_log("it runs")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.equal("thread 1 has not answered: code that does not return holds it\n", errors)
		ends_after_two_signals(gateway)
	end)

	-- one thread reads from a pipe, and the other waits for that within C's
	-- standard library, with its locks held
	local blocked = "local after = os.clock() + 0.05 * require('tidegate').thread while os.clock() < after do end "
		.. "io.popen('exec sleep 60'):read('a')"

	for what, code in pairs({ computes = stuck, sleeps = blocked }) do
		it("ends a check when it is in C, which " .. what, function()
			local project = projects.new({ ["handlers/a.lua"] = "\n" .. code .. " return print" })
			local _, errors, code_of_exit = program.run(what == "sleeps" and "check" or "routes", project.path,
				"--start-timeout", "1", "--log-level", "error")
			assert.equal(1, code_of_exit)
			assert.match("^handlers/a.lua:2: a call has not returned for %d%.%d s\n$", errors)
			project:delete()
		end)

		it("ends a start when it is in C, which " .. what, function()
			local project = projects.new({ ["lua/b.lua"] = "\n\n" .. code, ["handlers/a.lua"] = "require('b') return print" })
			local _, errors, code_of_exit = program.run("serve", project.path, "--listen", "127.0.0.1:0", "--threads", "2",
				"--start-timeout", "1", "--stuck-timeout", "0.3", "--log-level", "off")
			assert.equal(1, code_of_exit)
			assert.match("^lua/b.lua:3: a call has not returned for %d%.%d s\n$", errors)
			project:delete()
		end)

		it("ends a reload when it is in C, which " .. what, function()
			local gateway = server.start({
				flags = { "--threads", "2", "--start-timeout", "1", "--stuck-timeout", "0.3", "--shutdown-timeout", "0.2" },
				files = { ["handlers/hello.lua"] = "return function() return 'hi' end" },
			})
			local first, sentence = gateway:worker(), "handlers/a.lua:2: a call has not returned for %d%.%d s"
			gateway.project:write("handlers/a.lua", "\n" .. code .. " return print")
			local _, errors, code_of_exit = gateway:reload()
			assert.equal(1, code_of_exit)
			assert.match("^" .. sentence .. "\n$", errors)
			gateway:wait_log("reload refused: " .. sentence)
			gateway:wait_log("worker " .. first .. " is replaced: loader %d is lost in a call for [%d.]+ s")
			gateway:wait_log("worker %d+ serves")
			assert.equal("hi", gateway:get("/hello").body)
			assert.match("\nreload: %S+ refused: " .. sentence .. "\n", (program.run("status", gateway.project.path)))
			gateway:replace({ ["handlers/a.lua"] = "return function() return 'mended' end" })
			assert.equal("mended", gateway:get("/a").body)
			program.await("the end of who loaded it", function()
				return not os.execute(("kill -0 %d 2>/dev/null"):format(first))
			end)
			assert.match("code that never returns was cut off", gateway:stop())
		end)
	end
end)

describe("a tidegate.lua that never returns", function()
	local sentence = "tidegate: tidegate.lua:2: time budget exceeded: 200 ms without a wait\n"
	local cases = {
		{ "in a loop", "while true do end" },
		{ "in a loop that catches errors", "while true do pcall(error) end" },
		{ "in a pcall that begins again", "while true do pcall(function() while true do end end) end" },
		{ "in coroutines", "while true do pcall(coroutine.wrap(function() while true do end end)) end" },
		{ "where it cannot yield", "table.sort({ 3, 2, 1 }, function() while true do end end)" },
		{ "in a message handler", "xpcall(error, function() while true do end end)" },
		{ "in many calls that take their time", "while true do local _ = ('x'):rep(1e6) end" },
		{ "when its table is read", "return setmetatable({}, { __pairs = function() while true do end end })" },
		{ "when its error is shown", "error(setmetatable({}, { __tostring = function() while true do end end }))" },
	}
	for _, case in ipairs(cases) do
		it("is ended, with its line: " .. case[1], function()
			local project = projects.new({ ["tidegate.lua"] = "\n" .. case[2] })
			for _, command in ipairs({ "check", "serve" }) do
				assert.same({ "", sentence, 1 }, { program.run(command, project.path, "--start-timeout", "0.2") })
			end
			project:delete()
		end)
	end

	for what, code in pairs({ computes = "string.find(('a'):rep(2^20), ('.-'):rep(20) .. 'b')", sleeps = "io.popen('exec sleep 60'):read('a')" }) do
		it("is ended when it is in C, which " .. what, function()
			local project = projects.new({ ["tidegate.lua"] = code })
			assert.same({ "", "tidegate: tidegate.lua: a call has not returned for 3 s\n", 1 },
				{ program.run(what == "sleeps" and "check" or "serve", project.path, "--start-timeout", "0.2") })
			project:delete()
		end)

		it("does not keep a gateway from being asked and stopped when it is in C, which " .. what, function()
			local gateway = server.start({ files = { ["handlers/hello.lua"] = "return function() return 'hi' end" } })
			gateway.project:write("tidegate.lua", code)
			assert.same({ "stopping\n", "tidegate: tidegate.lua: a call has not returned for 3 s\n", 0 },
				{ program.run("stop", gateway.project.path) })
			gateway:ended()
		end)
	end

	it("holds up for a second who asks a gateway", function()
		local project = projects.new({ ["tidegate.lua"] = "\n" .. cases[1][2] })
		for _, command in ipairs({ "reload", "stop", "status" }) do
			local _, errors, code = program.run(command, project.path)
			assert.equal(1, code)
			assert.match("they cannot be read: tidegate.lua:2: time budget exceeded: 1000 ms without a wait\n$", errors)
		end
		project:delete()
	end)

	it("is ended after five seconds", function()
		local project = projects.new({ ["tidegate.lua"] = "\n" .. cases[1][2] })
		local _, errors, code = program.run("check", project.path)
		assert.same({ (sentence:gsub("200", "5000")), 1 }, { errors, code })
		project:delete()
	end)

	it("gets no more memory than a state", function()
		local project = projects.new({ ["tidegate.lua"] = "local t = 'x' while true do t = t .. t end" })
		local _, errors, code = program.run("check", project.path, "--start-timeout", "60")
		assert.same({ "tidegate: tidegate.lua: not enough memory\n", 1 }, { errors, code })
		project:delete()
	end)

	it("changes nothing in a gateway that runs", function()
		local gateway = server.start({
			flags = { "--start-timeout", "0.2" },
			files = { ["handlers/hello.lua"] = "return function() return 'hi' end" },
		})
		gateway.project:write("tidegate.lua", "\n" .. cases[1][2])
		gateway:signal("HUP")
		gateway:wait_log("reload refused.*tidegate.lua:2: time budget exceeded: 200 ms without a wait")
		assert.equal("hi", gateway:get("/hello").body)
		gateway:stop()
	end)
end)
