--- The least a handler can do: a parameter of the query, and a line of text.

return {
	title = "hello",
	order = 10,
	about = "`GET /hello?name=bench` is answered with `hello bench`; 16 keep-alive connections, short heads.",
	ask = { path = "/hello?name=bench" },
	expect = "hello bench\n",

	handlers = {
		tidegate = {
			["handlers/hello.lua"] = [[
return function(request)
	return "hello " .. (request.query.name or "world") .. "\n"
end
]],
		},
		nginx_lua = [[
location /hello {
	content_by_lua_block {
		local text = "hello " .. (ngx.req.get_uri_args().name or "world") .. "\n"
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
		lighttpd = [[
local r = lighty.r
local query = lighty.c.urldec_query(r.req_attr["uri.query"] or "")
r.resp_header["Content-Type"] = "text/plain"
r.resp_body:set({ "hello " .. (query.name or "world") .. "\n" })
return 200
]],
		haproxy = [[
local function decode(text)
	return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end
core.register_service("work", "http", function(applet)
	local name = applet.qs:match("%f[^\0&]name=([^&]*)")
	local text = "hello " .. (name and decode(name) or "world") .. "\n"
	applet:set_status(200)
	applet:add_header("content-type", "text/plain")
	applet:add_header("content-length", #text)
	applet:start_response()
	applet:send(text)
end)
]],
		apache = [[
function handle(r)
	r.content_type = "text/plain"
	r:write("hello " .. (r:parseargs().name or "world") .. "\n")
	return apache2.OK
end
]],
		nginx_njs = [[
function answer(r) {
	r.return(200, "hello " + (r.args.name || "world") + "\n");
}
export default { answer };
]],
		node = [[
answer = (request, response) => {
	const at = request.url.indexOf("?");
	const name = at < 0 ? null : new URLSearchParams(request.url.slice(at + 1)).get("name");
	const text = "hello " + (name || "world") + "\n";
	response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
	response.end(text);
};
]],
		lua_http = [[
local query_args = require("http.util").query_args
function answer(stream, head, headers)
	local name
	for key, value in query_args(head:get(":path"):match("%?(.*)") or "") do
		name = name or key == "name" and value
	end
	local text = "hello " .. (name or "world") .. "\n"
	headers:append(":status", "200")
	headers:append("content-type", "text/plain")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
		floor = "hello bench\n",
	},
}
