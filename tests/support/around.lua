--- One gateway around all tests of a describe, and a connection for each.

local busted = require("busted")

local server = require("tests.support.server")

--- To be called in a describe.  `options` are those of server.start, or a
-- function that gives them; `set(gateway, connection)` is called before each
-- test.
local function around(options, set)
	local gateway, connection
	busted.lazy_setup(function()
		gateway = server.start(type(options) == "function" and options() or options)
	end)
	busted.lazy_teardown(function()
		gateway:stop()
	end)
	busted.before_each(function()
		connection = gateway:connect()
		set(gateway, connection)
	end)
	busted.after_each(function()
		connection:close()
	end)
end

return around
