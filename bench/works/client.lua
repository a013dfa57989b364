--- A handler that asks another server, and answers with what came.

local answer = "the origin says hello\n"

return {
	title = "client",
	order = 46,
	about = "Each handler asks an origin for 22 bytes and answers with them. The origin is `bench/floor.c` on the load's "
		.. "core. Connections to it are kept, by `tidegate.http`, by nginx (a subrequest through `proxy_pass` with "
		.. "`keepalive`; Debian has no lua-resty-http), by HAProxy's client, by Node's agent, and for lua-http in a list of "
		.. "the handler's own; njs's `fetch` makes one for each request. mod_magnet and mod_lua have no client that lets "
		.. "others go on, so they are not here.",
	ask = { path = "/ask" },
	origin = answer,
	expect = answer,

	handlers = {
		tidegate = {
			["handlers/ask.lua"] = [[
local http = require("tidegate.http")
return function()
	return http.get("http://ORIGIN/hello"):text()
end
]],
		},
		nginx_lua = {
			http = "upstream origin { server ORIGIN; keepalive 64; keepalive_requests 1000000000; }",
			server = [[
location = /origin {
	internal;
	proxy_pass http://origin/hello;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
}
location = /ask {
	content_by_lua_block {
		local text = ngx.location.capture("/origin").body
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
		},
		haproxy = [[
core.register_service("work", "http", function(applet)
	local text = core.httpclient():get({ url = "http://ORIGIN/hello" }).body
	applet:set_status(200)
	applet:add_header("content-type", "text/plain")
	applet:add_header("content-length", #text)
	applet:start_response()
	applet:send(text)
end)
]],
		nginx_njs = [[
async function answer(r) {
	const reply = await ngx.fetch("http://ORIGIN/hello");
	const text = await reply.text();
	r.return(200, text);
}
export default { answer };
]],
		node = [[
const agent = new http.Agent({ keepAlive: true });
answer = (request, response) => {
	http.get("http://ORIGIN/hello", { agent }, (reply) => {
		const parts = [];
		reply.on("data", (part) => parts.push(part));
		reply.on("end", () => {
			const body = Buffer.concat(parts);
			response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
			response.end(body);
		});
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
ask:append(":path", "/hello")
local resting = {}
function answer(stream, head, headers)
	local connection = table.remove(resting) or assert(client.connect(origin))
	local upstream = assert(connection:new_stream())
	assert(upstream:write_headers(ask, true))
	assert(upstream:get_headers())
	local text = assert(upstream:get_body_as_string())
	resting[#resting + 1] = connection
	headers:append(":status", "200")
	headers:append("content-type", "text/plain")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
	},
}
