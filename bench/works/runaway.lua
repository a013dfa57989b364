--- Hello beside a handler that never returns.

local load = require("bench.lib.load")

local hello = require("bench.works.hello")

-- Asks for the endless handler on a connection of its own.
local function begin_endless(server)
	local client = assert(server:connect())
	client:send("GET /endless HTTP/1.1\r\nHost: bench\r\n\r\n")
	return client
end

local function measure(server, settings)
	local endless = begin_endless(server)
	local figures = load.start(server.url, server.work.ask, math.max(2, settings.seconds), settings.load_core,
		server.place.folder):wait()
	endless:close()
	if figures.requests == 0 then
		error("nothing is answered while the loop runs", 0)
	end
	return {
		p99_us = figures.p99,
		max_us = figures.max,
		rate = figures.rate,
		answered = figures.requests,
		failed = figures.failed,
	}
end

return {
	title = "hello beside a runaway handler",
	order = 65,
	about = "One client asks for a handler that loops without end, then 16 others ask for hello. HAProxy makes its Lua give "
		.. "way, as we do; Apache's other threads go on; the rest stand still until somebody ends them.",
	ask = { path = hello.ask.path },
	expect = hello.expect,
	rounds = 1,
	measure = measure,
	columns = {
		{ key = "p99_us", title = "p99 µs", digits = 0 },
		{ key = "max_us", title = "longest µs", digits = 0 },
		{ key = "rate", title = "requests/s", digits = 0 },
		{ key = "answered", title = "answered", digits = 0 },
		{ key = "failed", title = "failed", digits = 0 },
	},
	handlers = {
		tidegate = {
			["handlers/hello.lua"] = hello.handlers.tidegate["handlers/hello.lua"],
			["handlers/endless.lua"] = "return function() while true do end end\n",
		},
		nginx_lua = hello.handlers.nginx_lua .. "location /endless { content_by_lua_block { while true do end } }\n",
		lighttpd = "if lighty.r.req_attr['uri.path'] == '/endless' then while true do end end\n" .. hello.handlers.lighttpd,
		haproxy = {
			lua = hello.handlers.haproxy
				.. 'core.register_service("endless", "http", function() while true do end end)\n',
			frontend = "http-request use-service lua.endless if { path /endless }\n\thttp-request use-service lua.work",
		},
		apache = (hello.handlers.apache:gsub("%(r%)\n", "%0\tif r.uri == '/endless' then while true do end end\n", 1)),
		node = (hello.handlers.node:gsub("=> {\n", "%0\tif (request.url === '/endless') { for (;;); }\n", 1)),
	},
}
