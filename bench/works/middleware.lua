--- Five layers around a handler: a key is asked for, a user is remembered,
-- requests are counted, a header is set, and an empty answer is noticed.

-- The same layers for all servers that run Lua, folded once, when loaded.
-- They come on top of `get(c, name)`, `set(c, name, value)` and
-- `refuse(c)`, which each server has in its own way.
local layers = [[
local count = 0
local layers = {
	function(inner)
		return function(c, here)
			if get(c, "x-key") ~= "sesame" then return refuse(c) end
			return inner(c, here)
		end
	end,
	function(inner)
		return function(c, here)
			here.user = get(c, "x-user") or "nobody"
			return inner(c, here)
		end
	end,
	function(inner)
		return function(c, here)
			count = count + 1
			return inner(c, here)
		end
	end,
	function(inner)
		return function(c, here)
			set(c, "cache-control", "no-store")
			return inner(c, here)
		end
	end,
	function(inner)
		return function(c, here)
			local body = inner(c, here)
			return body ~= "" and body or refuse(c)
		end
	end,
}
local handler = function(c, here)
	return "hello " .. here.user .. "\n"
end
for i = #layers, 1, -1 do
	handler = layers[i](handler)
end
]]

return {
	title = "middleware, a chain of five",
	order = 31,
	about = "A key in a header is asked for, a user is remembered, requests are counted, a header is set, and an empty "
		.. "answer is looked for; then hello.",
	ask = { path = "/hello", headers = { ["X-Key"] = "sesame", ["X-User"] = "Ada" } },
	expect = "hello Ada\n",

	handlers = {
		tidegate = {
			["handlers/_middleware.lua"] = [[
local tidegate = require("tidegate")
local count = 0
return {
	function(request, response, next)
		if request.headers["x-key"] ~= "sesame" then tidegate.fail(403) end
		return next()
	end,
	function(request, response, next)
		request.locals.user = request.headers["x-user"] or "nobody"
		return next()
	end,
	function(request, response, next)
		count = count + 1
		return next()
	end,
	function(request, response, next)
		response.headers["cache-control"] = "no-store"
		return next()
	end,
	function(request, response, next)
		local body = next()
		return body ~= "" and body or 404
	end,
}
]],
			["handlers/hello.lua"] = [[
return function(request)
	return "hello " .. request.locals.user .. "\n"
end
]],
		},
		nginx_lua = {
			files = {
				["app.lua"] = [[
local function get(c, name) return ngx.req.get_headers()[name] end
local function set(c, name, value) ngx.header[name] = value end
local function refuse(c) return ngx.exit(403) end
]] .. layers .. [[
return function()
	local text = handler(nil, ngx.ctx)
	ngx.header.content_length = #text
	ngx.print(text)
end
]],
			},
			http = 'init_by_lua_block { require("app") }',
			server = 'location /hello { content_by_lua_block { require("app")() } }',
		},
		lighttpd = [[
local function get(c, name) return c.req_header[name] end
local function set(c, name, value) c.resp_header[name] = value end
local function refuse(c) return nil end
]] .. layers .. [[
local r = lighty.r
local text = handler(r, {})
if not text then return 403 end
r.resp_header["Content-Type"] = "text/plain"
r.resp_body:set({ text })
return 200
]],
		haproxy = [[
local function get(c, name) return c.headers[name] and c.headers[name][0] end
local function set(c, name, value) c:add_header(name, value) end
local function refuse(c) return nil end
]] .. layers .. [[
core.register_service("work", "http", function(applet)
	local text = handler(applet, {})
	applet:set_status(text and 200 or 403)
	applet:add_header("content-type", "text/plain")
	applet:add_header("content-length", #(text or ""))
	applet:start_response()
	applet:send(text or "")
end)
]],
		apache = [[
local function get(c, name) return c.headers_in[name] end
local function set(c, name, value) c.headers_out[name] = value end
local function refuse(c) return nil end
]] .. layers .. [[
function handle(r)
	r.content_type = "text/plain"
	local text = handler(r, {})
	if not text then return 403 end
	r:write(text)
	return apache2.OK
end
]],
		node = [[
let count = 0;
const layers = [
	(request, response, next) => request.headers["x-key"] === "sesame" ? next() : response.writeHead(403).end(),
	(request, response, next) => { request.user = request.headers["x-user"] || "nobody"; return next(); },
	(request, response, next) => { count++; return next(); },
	(request, response, next) => { response.setHeader("Cache-Control", "no-store"); return next(); },
	(request, response, next) => {
		const text = next();
		response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
		response.end(text);
	},
];
const hello = (request) => "hello " + request.user + "\n";
answer = (request, response) => {
	let at = 0;
	const next = () => at < layers.length ? layers[at++](request, response, next) : hello(request);
	next();
};
]],
		lua_http = [[
local function get(c, name) return c.head:get(name) end
local function set(c, name, value) c.headers:append(name, value) end
local function refuse(c) return nil end
]] .. layers .. [[
function answer(stream, head, headers)
	headers:append(":status", "200")
	local text = handler({ head = head, headers = headers }, {})
	headers:append("content-type", "text/plain")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
	},
}
