--- Many handlers that wait at once.

return {
	title = "1,000 clients of a handler that sleeps 10 ms",
	order = 40,
	about = "Each handler sleeps for 10 ms and answers a line; 1,000 keep-alive connections ask at once. In mod_magnet "
		.. "and mod_lua a handler that sleeps holds its thread, so they are not here.",
	least_seconds = 3,
	ask = { path = "/nap", connections = 1000 },
	expect = "slept\n",

	handlers = {
		tidegate = {
			["handlers/nap.lua"] = [[
local timer = require("tidegate.timer")
return function()
	timer.sleep(0.01)
	return "slept\n"
end
]],
		},
		nginx_lua = [[
location /nap {
	content_by_lua_block {
		ngx.sleep(0.01)
		ngx.header.content_length = 6
		ngx.print("slept\n")
	}
}
]],
		haproxy = [[
core.register_service("work", "http", function(applet)
	core.msleep(10)
	applet:set_status(200)
	applet:add_header("content-type", "text/plain")
	applet:add_header("content-length", 6)
	applet:start_response()
	applet:send("slept\n")
end)
]],
		nginx_njs = [[
function answer(r) {
	setTimeout(() => r.return(200, "slept\n"), 10);
}
export default { answer };
]],
		node = [[
answer = (request, response) => setTimeout(() => {
	response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 6 });
	response.end("slept\n");
}, 10);
]],
		lua_http = [[
local cqueues = require("cqueues")
function answer(stream, head, headers)
	cqueues.sleep(0.01)
	headers:append(":status", "200")
	headers:append("content-type", "text/plain")
	headers:append("content-length", "6")
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk("slept\n", true))
end
]],
	},
}
