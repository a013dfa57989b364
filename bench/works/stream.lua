--- An answer that is made piece by piece.

local piece = ("0123456789abcde\n"):rep(1024) -- 16 KiB

return {
	title = "streamed answer of 1 MiB",
	order = 41,
	about = "64 pieces of 16 KiB, written one after the other without a length; no more than 256 KiB wait for the client "
		.. "where a server can bound that. mod_magnet gathers the whole answer.",
	least_seconds = 3,
	ask = { path = "/stream", connections = 8 },
	expect = piece:rep(64),

	handlers = {
		tidegate = {
			["handlers/stream.lua"] = [[
local piece = ("0123456789abcde\n"):rep(1024)
return function(_, response)
	for _ = 1, 64 do
		response:write(piece)
	end
end
]],
		},
		nginx_lua = {
			http = 'init_by_lua_block { piece = ("0123456789abcde\\n"):rep(1024) }',
			server = [[
location /stream {
	content_by_lua_block {
		for i = 1, 64 do
			ngx.print(piece)
			if i % 16 == 0 then ngx.flush(true) end
		end
	}
}
]],
		},
		lighttpd = [[
local piece = ("0123456789abcde\n"):rep(1024)
local r = lighty.r
r.resp_header["Content-Type"] = "text/plain"
for _ = 1, 64 do
	r.resp_body:add({ piece })
end
return 200
]],
		haproxy = [[
local piece = ("0123456789abcde\n"):rep(1024)
core.register_service("work", "http", function(applet)
	applet:set_status(200)
	applet:add_header("content-type", "text/plain")
	applet:add_header("transfer-encoding", "chunked")
	applet:start_response()
	for _ = 1, 64 do
		applet:send(piece)
	end
end)
]],
		apache = [[
local piece = ("0123456789abcde\n"):rep(1024)
function handle(r)
	r.content_type = "text/plain"
	for _ = 1, 64 do
		r:write(piece)
	end
	return apache2.OK
end
]],
		nginx_njs = [[
const piece = "0123456789abcde\n".repeat(1024);
function answer(r) {
	r.status = 200;
	r.sendHeader();
	for (let i = 0; i < 64; i++) {
		r.send(piece);
	}
	r.finish();
}
export default { answer };
]],
		node = [[
const piece = Buffer.from("0123456789abcde\n".repeat(1024));
answer = (request, response) => {
	response.writeHead(200, { "Content-Type": "text/plain" });
	let left = 64;
	const go = () => {
		while (left > 0) {
			left--;
			if (!response.write(piece)) {
				return response.once("drain", go);
			}
		}
		response.end();
	};
	go();
};
]],
		lua_http = [[
local piece = ("0123456789abcde\n"):rep(1024)
function answer(stream, head, headers)
	headers:append(":status", "200")
	headers:append("content-type", "text/plain")
	assert(stream:write_headers(headers, false))
	for i = 1, 64 do
		assert(stream:write_chunk(piece, i == 64))
	end
end
]],
	},
}
