-- Connections that have been accepted and had no turn yet.

local server = require("tests.support.server")

local files = { ["handlers/hello.lua"] = 'return function() return "hi" end' }

describe("a connection that was just accepted", function()
	it("is forgotten if its client has left", function()
		local gateway = server.start({ files = files, flags = { "--threads", "2" } })
		for i = 1, 300 do
			local client = gateway:connect()
			if i % 2 == 0 then
				client:send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
			end
			client.stream:setoption("linger", { on = true, timeout = 0 })
			client:close()
		end
		assert.equal("hi", gateway:get("/hello").body)
		gateway:stop() -- and looks at the census
	end)

	it("is closed by a stop", function()
		local gateway, clients = server.start({ files = files }), {}
		for i = 1, 100 do
			clients[i] = gateway:connect()
		end
		gateway:signal("TERM")
		for _, client in ipairs(clients) do
			assert.is_true(client:is_closed())
			client:close()
		end
		gateway:stop()
	end)
end)
