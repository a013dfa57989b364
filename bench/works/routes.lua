--- 1,000 routes with two parameters each, asked for in no order.

local count = 1000

-- The text for each route, with its number for each `@`.
local function each(text)
	local parts = {}
	for n = 1, count do
		parts[n] = text:gsub("@", n)
	end
	return table.concat(parts)
end

local function files(name, text)
	local list = {}
	for n = 1, count do
		list[name:gsub("@", n)] = text:gsub("@", n)
	end
	return list
end

-- A step that shares no divisor with the count visits each route once.
local function paths()
	local list = {}
	for i = 1, count do
		list[i] = ("/route%d/%d/parts/keel"):format(i * 389 % count + 1, i)
	end
	return list
end

local asked = paths()
local n, id = asked[count]:match("(%d+)/(%d+)")

return {
	title = "1,000 routes",
	order = 30,
	about = "`/route1/{id}/parts/{part}` to `/route1000/...`, as the users of each server write them: files for us, "
		.. "regular expressions in the configuration of most others. Requests go through all of them, in no order.",
	ask = { paths = asked },
	expect = ("%s %s keel\n"):format(n, id),

	handlers = {
		tidegate = files("handlers/route@/{id}/parts/{part}.lua", [[
return function(request)
	local params = request.params
	return "@ " .. params.id .. " " .. params.part .. "\n"
end
]]),
		nginx_lua = each([[
location ~ ^/route@/([^/]+)/parts/([^/]+)$ {
	content_by_lua_block {
		local text = "@ " .. ngx.var[1] .. " " .. ngx.var[2] .. "\n"
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]]),
		lighttpd = {
			config = each([[
$HTTP["url"] =~ "^/route@/([^/]+)/parts/([^/]+)$" { magnet.attract-raw-url-to = ( "FOLDER/route@.lua" ) }
]]),
			files = files("route@.lua", [[
local r = lighty.r
local id, part = r.req_attr["uri.path"]:match("^/route@/([^/]+)/parts/([^/]+)$")
r.resp_header["Content-Type"] = "text/plain"
r.resp_body:set({ "@ " .. id .. " " .. part .. "\n" })
return 200
]]),
		},
		haproxy = {
			frontend = each("http-request use-service lua.work if { path_reg ^/route@/([^/]+)/parts/([^/]+)$ }\n\t"),
			lua = [[
core.register_service("work", "http", function(applet)
	local n, id, part = applet.path:match("^/route(%d+)/([^/]+)/parts/([^/]+)$")
	local text = n .. " " .. id .. " " .. part .. "\n"
	applet:set_status(200)
	applet:add_header("content-type", "text/plain")
	applet:add_header("content-length", #text)
	applet:start_response()
	applet:send(text)
end)
]],
		},
		apache = {
			config = each('LuaMapHandler "^/route@/([^/]+)/parts/([^/]+)$" "FOLDER/route.lua" handle\n'),
			files = {
				["route.lua"] = [[
function handle(r)
	local n, id, part = r.uri:match("^/route(%d+)/([^/]+)/parts/([^/]+)$")
	r.content_type = "text/plain"
	r:write(n .. " " .. id .. " " .. part .. "\n")
	return apache2.OK
end
]],
			},
		},
		nginx_njs = {
			server = each("location ~ ^/route@/(?<id>[^/]+)/parts/(?<part>[^/]+)$ { js_content work.route@; }\n"),
			js = each([[
function route@(r) {
	r.return(200, "@ " + r.variables.id + " " + r.variables.part + "\n");
}
]]) .. "export default { " .. each("route@, ") .. "};\n",
		},
		node = "const routes = [];\n" .. each([[
routes.push([/^\/route@\/([^\/]+)\/parts\/([^\/]+)$/, (id, part) => "@ " + id + " " + part + "\n"]);
]]) .. [[
answer = (request, response) => {
	for (const [pattern, handler] of routes) {
		const match = pattern.exec(request.url);
		if (match) {
			const text = handler(match[1], match[2]);
			response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
			return response.end(text);
		}
	}
	response.writeHead(404).end();
};
]],
		lua_http = [[
local routes = {}
for n = 1, 1000 do
	routes[n] = {
		pattern = "^/route" .. n .. "/([^/]+)/parts/([^/]+)$",
		handler = function(id, part) return n .. " " .. id .. " " .. part .. "\n" end,
	}
end
function answer(stream, head, headers)
	local path = head:get(":path")
	for _, route in ipairs(routes) do
		local id, part = path:match(route.pattern)
		if id then
			local text = route.handler(id, part)
			headers:append(":status", "200")
			headers:append("content-type", "text/plain")
			headers:append("content-length", tostring(#text))
			assert(stream:write_headers(headers, false))
			return assert(stream:write_chunk(text, true))
		end
	end
end
]],
	},
}
