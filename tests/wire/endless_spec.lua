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
			flags = { "--start-timeout", "0.1", "--time-limit", "1000" },
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
end)
