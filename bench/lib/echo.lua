--- The works that decode JSON and encode it again, of any size.

local cjson = require("cjson")

local harbours = { "Brest", "Dover", "Emden", "Husum", "Oban", "Reykjavík", "Saint-Malo", "Wick" }

-- JSON of at least that many bytes: a list of records.
local function sample(bytes)
	local records, length = {}, 2
	while length < bytes do
		local n = #records + 1
		local record = ('{"id":%d,"harbour":"%s","open":%s,"depth":%.2f,"tags":["sea","tide %d"],"note":null}'):format(
			n, harbours[n % #harbours + 1], n % 3 == 0, n * 0.25 + 0.5, n)
		records[n], length = record, length + #record + 1
	end
	return "[" .. table.concat(records, ",") .. "]"
end

local function same(a, b)
	if type(a) ~= "table" or type(b) ~= "table" then
		return a == b
	end
	for key, value in pairs(a) do
		if not same(value, b[key]) then
			return false
		end
	end
	return #a == #b
end

local handlers = {
	tidegate = {
		["handlers/echo.lua"] = [[
return { POST = function(request) return request:json() end }
]],
	},
	nginx_lua = {
		http = 'init_by_lua_block { cjson = require("cjson") }',
		server = [[
client_body_buffer_size 1m;
location /echo {
	default_type application/json;
	content_by_lua_block {
		ngx.req.read_body()
		local text = cjson.encode(cjson.decode(ngx.req.get_body_data()))
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
	},
	lighttpd = [[
local r = lighty.r
local body = r.req_body
if not body.collect then return 0 end
local cjson = require("cjson")
r.resp_header["Content-Type"] = "application/json"
-- 1.4.69 gives the head, too, if both came in one piece
r.resp_body:set({ cjson.encode(cjson.decode(body.get:sub(-body.len))) })
return 200
]],
	haproxy = [[
local cjson = require("cjson")
core.register_service("work", "http", function(applet)
	local text = cjson.encode(cjson.decode(applet:receive()))
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
	local body = r:requestbody()
	r:write(cjson.encode(cjson.decode(body)))
	return apache2.OK
end
]],
	nginx_njs = [[
function answer(r) {
	r.headersOut["Content-Type"] = "application/json";
	r.return(200, JSON.stringify(JSON.parse(r.requestText)));
}
export default { answer };
]],
	node = [[
answer = (request, response) => {
	const parts = [];
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		const text = JSON.stringify(JSON.parse(Buffer.concat(parts).toString()));
		response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
		response.end(text);
	});
};
]],
	lua_http = [[
local cjson = require("cjson")
function answer(stream, head, headers)
	local text = cjson.encode(cjson.decode(stream:get_body_as_string()))
	headers:append(":status", "200")
	headers:append("content-type", "application/json")
	headers:append("content-length", tostring(#text))
	assert(stream:write_headers(headers, false))
	assert(stream:write_chunk(text, true))
end
]],
}

--- A work of so many bytes on so many connections.
local function work(title, order, bytes, connections)
	local body = sample(bytes)
	local value = cjson.decode(body)
	return {
		title = title,
		order = order,
		about = ("JSON of %d bytes is posted, decoded, encoded and sent back."):format(#body),
		handlers = handlers,
		ask = {
			method = "POST",
			path = "/echo",
			body = body,
			headers = { ["Content-Type"] = "application/json" },
			connections = connections,
		},
		expect = function(answer) -- the order of the keys is each encoder's own
			local ok, other = pcall(cjson.decode, answer)
			return ok and same(value, other) and same(other, value)
		end,
	}
end

return { work = work }
