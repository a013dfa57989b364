local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local run = [[
return function(request)
	return assert(load(request:text(), "=run"))(request)
end
]]

describe("a module", function()
	local gateway

	lazy_setup(function()
		gateway = server.start({ files = {
			["handlers/run.lua"] = run,
			["handlers/counted.lua"] = "local count = require('count') return function() return tostring(count.loads) end",
			["handlers/globals.lua"] = "shared_name = 'set while loading' return function() return shared_name end",
			["lua/money.lua"] = "return { format = function(cents) return ('%d.%02d'):format(cents // 100, cents % 100) end, args = { ... } }",
			["lua/deep/er.lua"] = "return 'deep.er'",
			["lua/folder/init.lua"] = "return 'folder'",
			["lua/both.lua"] = "return 'both.lua'",
			["lua/both/init.lua"] = "return 'both/init.lua'",
			["lua/count.lua"] = "loads = (loads or 0) + 1 return { loads = loads }",
			["lua/cycle_a.lua"] = "local b = require('cycle_b') return { b = b }",
			["lua/cycle_b.lua"] = "local a = require('cycle_a') return { a = a }",
			["lua/broken.lua"] = "\nreturn function( end",
			["lua/raises.lua"] = "\n\nerror('at load')",
			["lua/quiet.lua"] = "local x = 1",
			["lua/lazy.lua"] = "new_global = 1 return 'lazy'",
			["lua/sleepy.lua"] = "require('tidegate.timer').sleep(0) return 'slept'",
		} })
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	local function value_of(code)
		return gateway:fetch("POST", "/run", nil, code).body
	end

	describe("is required", function()
		local cases = {
			{ "from lua/", "return require('money').format(1999)", "19.99" },
			{ "with its name and its file", "return table.concat(require('money').args, ' ')", "money lua/money.lua" },
			{ "from folders, by dots", "return (require('deep.er'))", "deep.er" },
			{ "from an init.lua", "return (require('folder'))", "folder" },
			{ "from a file before an init.lua", "return (require('both'))", "both.lua" },
			{ "once", "return tostring(rawequal(require('money'), require('money')))", "true" },
			{ "as true when it returns nothing", "return tostring(require('quiet'))", "true" },
			{ "from the gateway itself", "return type(require('tidegate.timer').sleep)", "function" },
			{ "with LPeg", "return tostring(require('lpeg').match(require('lpeg').P('a'), 'a')) .. require('re').match('ab', '{.}')", "2a" },
		}
		for _, case in ipairs(cases) do
			local what, code, expected = table.unpack(case)
			it(what, function()
				assert.equal(expected, value_of(code))
			end)
		end

		it("at the top of a file", function()
			assert.equal("1", gateway:get("/counted").body)
		end)
	end)

	describe("raises a message", function()
		local cases = {
			{ "that says where it was sought", "require('nowhere')", "run:1: module 'nowhere' not found: "
				.. "there is no lua/nowhere.lua or lua/nowhere/init.lua, and none in /usr/local/share/lua/5.4 or /usr/share/lua/5.4" },
			{ "that suggests one of the project's", "require('deep.re')", "and none in /usr/local/share/lua/5.4 or "
				.. "/usr/share/lua/5.4; did you mean 'deep.er'?" },
			{ "that suggests a folder's", "require('foldre')", "did you mean 'folder'?" },
			{ "that knows the gateway's own", "require('tidegate.tmier')", "run:1: module 'tidegate.tmier' not found: "
				.. "tidegate has none of that name; did you mean 'tidegate.timer'?" },
			{ "that suggests a module of the gateway to who forgets its first name", "require('json')", "did you mean 'tidegate.json'?" },
			{ "with the line of a syntax error", "require('broken')", "lua/broken.lua:2: " },
			{ "with the line of an error", "require('raises')", "lua/raises.lua:3: at load" },
			{ "for a module in C", "require('socket.core')", "module 'socket.core' not found: /",
				"/socket/core.so is in C, and only modules in Lua are loaded" },
			{ "for what begins like one that is loaded", "require('money') require('money\\0x')",
				"run:1: module 'money\\0x' not found: a name has no zero bytes" },
			{ "for what begins like one of the gateway's", "require('tidegate.json\\0')",
				"run:1: module 'tidegate.json\\0' not found: a name has no zero bytes" },
			{ "for what begins like one of the system's", "require('re\\0x')", "module 're\\0x' not found: a name has no zero bytes" },
			{ "for what begins like a file", "loadfile('/dev/null\\0x')", "bad argument #1 to 'loadfile' (not a path)" },
			{ "for what begins like a file to run", "dofile('/dev/null\\0x')", "bad argument #1 to 'dofile' (not a path)" },
			{ "about a cycle", "require('cycle_a')", "lua/cycle_b.lua:1: module 'cycle_a' requires itself" },
			{ "when it sets a global late", "require('lazy')", "cannot write global 'new_global' here: make it local" },
		}
		for _, case in ipairs(cases) do
			local what, code = table.unpack(case)
			it(what, function()
				local body = value_of(("local ok, m = pcall(function() %s end) return 200, tostring(ok) .. ' ' .. tostring(m)"):format(code))
				assert.equal("false ", body:sub(1, 6))
				for i = 3, #case do
					assert.is_truthy(body:find(case[i], 1, true), body)
				end
			end)
		end
	end)

	it("is suggested only if it is one that docs/ describes", function()
		for _, name in ipairs({ "nope", "apq", "plac", "probelm", "suggestt", "setings" }) do
			local body = value_of(("return select(2, pcall(require, 'tidegate.%s'))"):format(name))
			assert.equal(("run:1: module 'tidegate.%s' not found: tidegate has none of that name"):format(name), body)
		end
		local seen, named = {}, {}
		for line in io.popen([[grep -ohE 'require\("tidegate\.[a-z]+"\)' docs/*.md | sort -u]]):lines() do
			named[#named + 1] = line:match("tidegate%.(%l+)")
			seen[named[#named]] = true
		end
		assert.is_true(seen.timer and seen.rpc)
		assert.equal(table.concat(named, " "), value_of("return table.concat(require('tidegate.missing').documented, ' ')"))
	end)

	it("that a file needs and that is missing keeps everything from loading", function()
		local project = projects.new({ ["handlers/a.lua"] = "\nlocal x = require('nowhere')\nreturn print" })
		local _, errors, code = program.run("check", project.path)
		assert.equal(1, code)
		assert.equal("handlers/a.lua:2: module 'nowhere' not found: there is no lua/nowhere.lua or lua/nowhere/init.lua, "
			.. "and none in /usr/local/share/lua/5.4 or /usr/share/lua/5.4\n", errors)
		project:write("sub/web/a.lua", "local ok, why = pcall(require, 'nowhere') error(why, 0)")
		_, errors = program.run("check", project.path, "--handlers", "sub/web")
		assert.match("^sub/web/a.lua:1: module 'nowhere' not found: there is no sub/lua/nowhere.lua or ", errors)
		project:delete()
	end)

	it("may come from a searcher of the project's own, behind the others", function()
		local own = server.start({ files = {
			["lua/money.lua"] = "return {}",
			["handlers/own.lua"] = [[
table.insert(package.searchers, function(name)
	return name == "made up" and function() return "made" end or nil
end)
local made = require("made up")
local _, why = pcall(require, "mony")
return function() return made .. ", " .. why end]],
		} })
		local body = own:get("/own").body
		assert.match("^made, .*module 'mony' not found:", body)
		assert.match("did you mean 'money'?", body, 1, true)
		own:stop()
	end)

	it("that is a cycle keeps everything from loading", function()
		local project = projects.new({
			["handlers/a.lua"] = "require('one') return print",
			["lua/one.lua"] = "return require('two')",
			["lua/two.lua"] = "return require('one')",
		})
		local _, errors, code = program.run("check", project.path)
		assert.equal(1, code)
		assert.is_truthy(errors:find("one", 1, true), errors)
		project:delete()
	end)

	describe("and globals:", function()
		it("what was set while loading is read", function()
			assert.equal("set while loading", gateway:get("/globals").body)
			assert.equal("set while loading", value_of("return shared_name"))
		end)

		it("an unknown one is nil", function()
			assert.equal("nil", value_of("return tostring(unknown_name)"))
		end)

		local cases = {
			{ "a new one", "leaked = 1", "run:1: cannot write global 'leaked' here: make it local" },
			{ "one that exists", "shared_name = 2", "run:1: cannot write global 'shared_name' here: make it local" },
			{ "a library", "string = nil", "run:1: cannot write global 'string' here" },
			{ "through _G", "_G.leaked = 1", "run:1: cannot write global 'leaked' here" },
			{ "the metatable of _G", "setmetatable(_G, nil)", "cannot change a protected metatable" },
		}
		for _, case in ipairs(cases) do
			local what, code, message = table.unpack(case)
			it(what .. " cannot be written", function()
				local body = value_of(("local ok, m = pcall(load(%q, '=run')) return tostring(ok) .. ' ' .. tostring(m)"):format(code))
				assert.equal("false ", body:sub(1, 6))
				assert.is_truthy(body:find(message, 1, true), body)
				assert.equal("set while loading", value_of("return shared_name .. tostring(leaked or '')"))
			end)
		end

		it("all are seen by pairs", function()
			local code = "local seen = {} for name in pairs(_G) do seen[name] = true end "
				.. "return tostring(seen.string) .. ' ' .. tostring(seen.shared_name)"
			assert.equal("true true", value_of(code))
		end)
	end)

	describe("and libraries:", function()
		for _, name in ipairs({ "os.exit", "os.setlocale", "package.loadlib", "debug.debug", "debug.getregistry", "debug.sethook",
			"debug.setcstacklimit", "debug.setlocal", "debug.setmetatable", "debug.setupvalue", "debug.setuservalue",
			"debug.upvaluejoin" }) do
			it(name .. " is missing", function()
				assert.equal("nil", value_of(("return tostring(%s)"):format(name)))
			end)
		end

		for _, name in ipairs({ "os.time", "os.date", "io.open", "string.format", "table.concat", "math.floor", "utf8.char",
			"coroutine.wrap", "debug.traceback", "load", "require", "select", "setmetatable", "rawset", "collectgarbage" }) do
			it(name .. " is there", function()
				assert.equal("function", value_of(("return type(%s)"):format(name)))
			end)
		end

		local binaries = {
			{ "load", "return select(2, load(string.dump(function() end)))" },
			{ "load, asked for it", "return select(2, load(string.dump(function() end), 'x', 'b'))" },
			{ "load by pieces", "local s = string.dump(function() end) return select(2, load(function() local r = s s = nil return r end, 'x', 'bt'))" },
			{ "loadfile", "local n = os.tmpname() io.open(n, 'wb'):write(string.dump(function() end)):close() local _, m = loadfile(n, 'b') os.remove(n) return m" },
			{ "dofile", "local n = os.tmpname() io.open(n, 'wb'):write(string.dump(function() end)):close() local _, m = pcall(dofile, n) os.remove(n) return m" },
		}
		for _, case in ipairs(binaries) do
			local what, code = table.unpack(case)
			it(what .. " takes no binary chunk", function()
				assert.matches("attempt to load a binary chunk %(mode is 't'%)", value_of(code))
			end)
		end

		local loads = {
			{ "a text", "return load('return 1 + 1')() .. ''", "2" },
			{ "a text by pieces", "local t = { 'return ', '7' } return load(function() return table.remove(t, 1) end)() .. ''", "7" },
			{ "an environment", "return load('return x', '=x', 't', { x = 'mine' })()", "mine" },
			{ "an environment of nil", "return tostring(pcall(load('return x', '=x', 't', nil)))", "true" },
			{ "a syntax error as nil and a message", "return select(2, load('return (', '=x'))", "x:1: unexpected symbol near <eof>" },
		}
		for _, case in ipairs(loads) do
			local what, code, expected = table.unpack(case)
			it("load takes " .. what, function()
				assert.equal(expected, value_of(code))
			end)
		end
	end)

	it("that waits cannot: require is a call of C", function()
		assert.matches("cannot wait here", value_of("return select(2, pcall(require, 'sleepy'))"))
	end)

	describe("tidegate", function()
		it("knows version, generation and threads", function()
			assert.equal("1 1 1", value_of("local t = require('tidegate') return t.generation .. ' ' .. t.thread .. ' ' .. t.threads"))
			local output = program.run("version")
			assert.is_truthy(output:find(value_of("return require('tidegate').version"), 1, true), output)
		end)

		it("registers on_start and on_stop at load only", function()
			for _, name in ipairs({ "on_start", "on_stop" }) do
				assert.matches(name .. "%(%) belongs to the top level of a file",
					value_of(("return select(2, pcall(require('tidegate').%s, print))"):format(name)))
			end
		end)
	end)
end)
