-- tidegate.http, its times: each has its end.

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")

describe("tidegate.http", function()
	local asker, origin

	lazy_setup(function()
		origin = origins.listen()
		asker = askers.start(origin.url)
	end)

	lazy_teardown(function()
		asker:stop()
		origin:close()
	end)

	-- What the code returns; `serve` plays the origin.
	local function play(code, serve)
		local client = asker:begin(code)
		local visit = origin:accept()
		visit:request()
		serve(visit)
		local body = asker:finish(client)
		visit:close()
		return body
	end

	local function silence() end

	local function drip(visit)
		visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
		for _ = 1, 100 do
			if not visit.stream:send("x") then
				break
			end
			require("socket").sleep(0.01)
		end
	end

	it("waits no longer than first_byte_timeout for a response", function()
		assert.equal("nil|timed out|timeout", play("return http.get(origin, { first_byte_timeout = 0.02 })", silence))
		assert.equal("timeout", play("return (select(3, http.get(origin, { first_byte_timeout = 0.02 })))", function(visit)
			visit:send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 O")
		end))
	end)

	it("waits no longer than idle_timeout for more content", function()
		for _, method in ipairs({ "text", "json", "buffer", "chunk" }) do
			assert.equal("timeout", play(("local r = http.get(origin, { idle_timeout = 0.02 }) return (select(3, r:%s()))"):format(method), function(visit)
				visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
			end))
		end
	end)

	it("takes no longer than timeout for the whole", function()
		assert.equal("timeout", play("local r = http.get(origin, { timeout = 0.1 }) return (select(3, r:text()))", drip))
		assert.equal("timeout", play("return (select(3, http.get(origin, { timeout = 0.02 })))", silence))
		assert.equal("true", play("return http.get(origin, { idle_timeout = 5, timeout = 60 }):chunk() ~= nil", drip))
	end)

	it("waits no longer than connect_timeout in the line", function()
		assert.equal("timeout|true", play([[
			local first = task.spawn(http.get, origin, { connections = 1, timeout = 1 })
			timer.sleep(0.01)
			return select(3, http.get(origin, { connections = 1, connect_timeout = 0.02 })), first:cancel() ~= nil]], silence))
	end)

	it("waits no longer than idle_timeout for an origin that takes nothing", function()
		local client = asker:begin([[
			local piece = ('x'):rep(100):rep(1000)
			return (select(3, http.post(origin, { body = function() return piece end, idle_timeout = 0.1 })))]])
		local visit = origin:accept()
		assert.equal("timeout", (asker:finish(client)))
		visit:close()
	end)

	it("gives the same failure when it is asked again", function()
		assert.equal("timeout|timeout|nil", play([[
			local r = http.get(origin, { idle_timeout = 0.02 })
			return (select(3, r:text())), (select(3, r:text())), r.trailers]], function(visit)
			visit:send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
		end))
	end)
end)
