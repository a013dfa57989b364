--- Content that is read as it comes, and counted.

local bytes = 10 * 1024 * 1024

return {
	title = "upload of 10 MiB",
	order = 42,
	about = "10 MiB are put; the handler reads them piece by piece where the server lets it, and answers with their "
		.. "number. mod_magnet, mod_lua and njs hand over the whole.",
	least_seconds = 3,
	ask = { method = "PUT", path = "/upload", body = ("x"):rep(bytes), connections = 2 },
	expect = "10485760\n",

	handlers = {
		tidegate = {
			["handlers/upload.lua"] = [[
local route = { limits = { body = math.huge } }
function route.PUT(request)
	local bytes = 0
	for chunk in request:chunks() do
		bytes = bytes + #chunk
	end
	return bytes .. "\n"
end
return route
]],
		},
		nginx_lua = [[
client_max_body_size 20m;
location /upload {
	content_by_lua_block {
		local socket, bytes = ngx.req.socket(), 0
		local length = tonumber(ngx.var.content_length)
		while bytes < length do
			local piece = socket:receiveany(65536)
			if not piece then return ngx.exit(400) end
			bytes = bytes + #piece
		end
		local text = bytes .. "\n"
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
		lighttpd = [[
local r = lighty.r
local body = r.req_body
if not body.collect then return 0 end
r.resp_header["Content-Type"] = "text/plain"
r.resp_body:set({ math.tointeger(body.len) .. "\n" })
return 200
]],
		haproxy = [[
core.register_service("work", "http", function(applet)
	local bytes = 0
	while true do
		local piece = applet:receive(65536)
		if not piece or #piece == 0 then break end
		bytes = bytes + #piece
	end
	local text = bytes .. "\n"
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
	local body = r:requestbody()
	r:write(#body .. "\n")
	return apache2.OK
end
]],
		nginx_njs = [[
function answer(r) {
	r.return(200, r.requestBuffer.length + "\n");
}
export default { answer };
]],
		node = [[
answer = (request, response) => {
	let bytes = 0;
	request.on("data", (piece) => { bytes += piece.length; });
	request.on("end", () => {
		const text = bytes + "\n";
		response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": text.length });
		response.end(text);
	});
};
]],
		lua_http = [[
function answer(stream, head, headers)
	local bytes = 0
	for piece in stream:each_chunk() do
		bytes = bytes + #piece
	end
	local text = bytes .. "\n"
	headers:append(":status", "200")
	headers:append("content-type", "text/plain")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
	},
}
