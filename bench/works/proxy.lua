--- Another server's response, passed on as it comes.

local text = ("low tide at noon\n"):rep(10 * 1024 // 17 + 1):sub(1, 10 * 1024)

return {
	title = "proxy of 10 KiB",
	order = 47,
	about = "An origin's response with 10 KiB is passed on. The origin is `bench/floor.c` on the load's core. Tidegate, "
		.. "Node and lua-http do it by a handler that writes each piece as it comes; nginx, HAProxy, lighttpd and Apache by "
		.. "their proxies, without Lua; nginx with njs would do what the other nginx does. All keep connections to the "
		.. "origin but lighttpd, whose proxy makes one for each request.",
	ask = { path = "/tide.txt" },
	origin = text,
	expect = text,

	handlers = {
		tidegate = {
			["handlers/tide.txt.lua"] = [[
local http = require("tidegate.http")
return function(_, response)
	local upstream = http.get("http://ORIGIN/tide.txt", { decode = false })
	response.status = upstream.status
	response.headers["content-type"] = upstream.headers["content-type"]
	response.headers["content-length"] = upstream.headers["content-length"]
	for chunk in upstream:chunks() do
		response:write(chunk)
	end
end
]],
		},
		nginx_lua = {
			http = "upstream origin { server ORIGIN; keepalive 64; keepalive_requests 1000000000; }",
			server = [[
location / {
	proxy_pass http://origin;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
}
]],
		},
		lighttpd = {
			config = [[
server.modules += ( "mod_proxy" )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ORIGIN_PORT ) ) )
]],
		},
		haproxy = {
			lua = "",
			frontend = [[
default_backend origin
backend origin
	http-reuse always
	server origin ORIGIN
]],
		},
		apache = {
			config = [[
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ProxyPass "/" "http://ORIGIN/"
]],
		},
		node = [[
const agent = new http.Agent({ keepAlive: true });
answer = (request, response) => {
	http.get("http://ORIGIN/tide.txt", { agent }, (reply) => {
		response.writeHead(reply.statusCode, {
			"Content-Type": reply.headers["content-type"],
			"Content-Length": reply.headers["content-length"],
		});
		reply.pipe(response);
	});
};
]],
		lua_http = [[
local client = require("http.client")
local origin = { host = "127.0.0.1", port = ORIGIN_PORT, version = 1.1 }
local ask = new_headers()
ask:append(":method", "GET")
ask:append(":scheme", "http")
ask:append(":authority", "ORIGIN")
ask:append(":path", "/tide.txt")
local resting = {}
function answer(stream, head, headers)
	local connection = table.remove(resting) or assert(client.connect(origin))
	local upstream = assert(connection:new_stream())
	assert(upstream:write_headers(ask, true))
	local found = assert(upstream:get_headers())
	headers:append(":status", found:get(":status"))
	headers:append("content-type", found:get("content-type"))
	headers:append("content-length", found:get("content-length"))
	assert(stream:write_headers(headers, false))
	for chunk in upstream:each_chunk() do
		assert(stream:write_chunk(chunk, false))
	end
	assert(stream:write_chunk("", true))
	resting[#resting + 1] = connection
end
]],
	},
}
