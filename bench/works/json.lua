--- A small table as JSON.

local cjson = require("cjson")

local text = '{"id":7,"name":"Ada","active":true,"tags":["sea","moon"],"tide":{"high":4.5,"low":0.25}}'

-- The order of the keys is each encoder's own.
local function expect(body)
	local ok, value = pcall(cjson.decode, body)
	return ok and #body == #text and value.id == 7 and value.name == "Ada" and value.active == true
		and table.concat(value.tags, " ") == "sea moon" and value.tide.high == 4.5 and value.tide.low == 0.25
end

local record = [[{
	id = 7, name = "Ada", active = true,
	tags = { "sea", "moon" },
	tide = { high = 4.5, low = 0.25 },
}]]

local object = [[{
	id: 7, name: "Ada", active: true,
	tags: ["sea", "moon"],
	tide: { high: 4.5, low: 0.25 },
}]]

return {
	title = "JSON",
	order = 20,
	about = "A table of five keys is made and sent as JSON, 88 bytes. The Lua peers use cjson.",
	ask = { path = "/record" },
	expect = expect,

	handlers = {
		tidegate = { ["handlers/record.lua"] = "return function()\n\treturn " .. record .. "\nend\n" },
		nginx_lua = {
			http = 'init_by_lua_block { cjson = require("cjson") }',
			server = [[
location /record {
	default_type application/json;
	content_by_lua_block {
		local text = cjson.encode(]] .. record .. [[)
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
		},
		lighttpd = [[
local cjson = require("cjson")
local r = lighty.r
r.resp_header["Content-Type"] = "application/json"
r.resp_body:set({ cjson.encode(]] .. record .. [[) })
return 200
]],
		haproxy = [[
local cjson = require("cjson")
core.register_service("work", "http", function(applet)
	local text = cjson.encode(]] .. record .. [[)
	applet:set_status(200)
	applet:add_header("content-type", "application/json")
	applet:add_header("content-length", #text)
	applet:start_response()
	applet:send(text)
end)
]],
		apache = [[
local cjson = require("cjson")
function handle(r)
	r.content_type = "application/json"
	r:write(cjson.encode(]] .. record .. [[))
	return apache2.OK
end
]],
		nginx_njs = [[
function answer(r) {
	r.headersOut["Content-Type"] = "application/json";
	r.return(200, JSON.stringify(]] .. object .. [[));
}
export default { answer };
]],
		node = [[
answer = (request, response) => {
	const text = JSON.stringify(]] .. object .. [[);
	response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
	response.end(text);
};
]],
		lua_http = [[
local cjson = require("cjson")
function answer(stream, head, headers)
	local text = cjson.encode(]] .. record .. [[)
	headers:append(":status", "200")
	headers:append("content-type", "application/json")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
		floor = text,
	},
}
