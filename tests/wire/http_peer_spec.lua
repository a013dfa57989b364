-- tidegate.http, against the servers it will meet: nginx and node.

local askers = require("tests.support.asker")
local foreign = require("tests.support.foreign")

describe("tidegate.http, of nginx,", function()
	local asker, nginx

	lazy_setup(function()
		nginx = foreign.nginx([[
		location /moved { return 301 /hello.txt; }
		location /status { return 204; }
		location /once { keepalive_timeout 0; return 200 "once"; }
		location /private { auth_basic "x"; auth_basic_user_file users; }
		location /error { return 502; }
		location /upload { client_max_body_size 100k; return 200 "$request_length"; }
		location /shout { add_header x-a 1; add_header x-a 2; return 200 "$request_method $http_user_agent"; }
]], { ["hello.txt"] = "hello of nginx\n", ["big.txt"] = ("0123456789"):rep(500000) })
		asker = askers.start(nginx.socket)
	end)

	lazy_teardown(function()
		asker:stop()
		nginx:stop()
	end)

	local function check(expected, code)
		assert.equal(expected, asker:run("local api = http.client{ base_url = 'http://nginx.test', unix = origin } " .. code))
	end

	it("gets files, whole, in part and not at all", function()
		check("200|hello of nginx\n|15", "local r = api:get('/hello.txt') return r.status, r:text(), r.headers['content-length']")
		check("206|of", "local r = api:get('/hello.txt', { headers = { range = 'bytes=6-7' } }) return r.status, r:text()")
		check("304||true", [[
			local tag = api:get('/hello.txt').headers.etag
			local r = api:get('/hello.txt', { headers = { ['if-none-match'] = tag } })
			return r.status, r:text(), r.headers.etag == tag]])
		check("404", "return api:get('/nowhere').status")
		check("200||15", "local r = api:head('/hello.txt') return r.status, r:text(), r.headers['content-length']")
		check("204|", "local r = api:get('/status') return r.status, r:text()")
	end)

	it("gets what is large, and on one connection", function()
		check("5000000|5000000|5000000", [[
			local n = {}
			for i = 1, 3 do n[i] = 0 for chunk in api:get('/big.txt'):chunks() do n[i] = n[i] + #chunk end end
			return table.unpack(n)]])
	end)

	it("follows redirects, sees every value, and is told its limits", function()
		check("200|http://nginx.test/hello.txt", "local r = api:get('/moved') return r.status, r.url")
		check("1|2", "local r = api:get('/shout') return table.unpack(r.headers:all('x-a'))")
		check("502", "return api:get('/error').status")
		check("once|once", "return api:get('/once'):text(), api:get('/once'):text()")
		check("413", "return api:post('/upload', { body = ('x'):rep(1000):rep(2000) }).status")
		check("401", "return api:get('/private').status")
	end)

	it("asks for many at once", function()
		check("200", [[
			local list = {}
			for i = 1, 200 do list[i] = '/hello.txt' end
			local responses, n = api:all(list, { concurrency = 50 }), 0
			for i = 1, 200 do n = n + (responses[i]:text() == 'hello of nginx\n' and 1 or 0) end
			return n]])
	end)
end)

describe("tidegate.http, of node,", function()
	local asker, node

	lazy_setup(function()
		node = foreign.node([[
	const body = [];
	request.on("data", piece => body.push(piece));
	request.on("end", () => {
		const text = Buffer.concat(body).toString();
		switch (request.url) {
		case "/mirror":
			response.end(JSON.stringify({ method: request.method, headers: request.headers, body: text }));
			break;
		case "/trailers":
			response.writeHead(200, { trailer: "x-sum" });
			response.write("a");
			response.addTrailers({ "x-sum": "7" });
			response.end("b");
			break;
		case "/hints":
			response.writeEarlyHints({ link: "</x>; rel=preload" }, () => response.end("hinted"));
			break;
		case "/br":
			response.writeHead(200, { "content-encoding": "br" });
			response.end(zlib.brotliCompressSync("packed"));
			break;
		case "/gzip": {
			response.writeHead(200, { "content-encoding": "gzip" });
			const stream = zlib.createGzip();
			stream.pipe(response);
			for (let i = 0; i < 100000; i++) stream.write("line " + i + "\n");
			stream.end();
			break;
		}
		case "/destroy":
			response.writeHead(200, { "content-length": 100 });
			response.write("half", () => request.socket.destroy());
			break;
		default:
			response.statusCode = 404;
			response.end();
		}
	});
]])
		asker = askers.start(node.url)
	end)

	lazy_teardown(function()
		asker:stop()
		node:stop()
	end)

	local function check(expected, code)
		assert.equal(expected, asker:run(code))
	end

	it("sends what it is told", function()
		check("POST|2|x y|text/z|nil", [[
			local seen = http.post(origin .. '/mirror', { body = 'x y', headers = { ['x-a'] = 2, ['content-type'] = 'text/z' } }):json()
			return seen.method, seen.headers['x-a'], seen.body, seen.headers['content-type'], seen.headers['transfer-encoding'] ]])
		check("chunked|onetwo|nil", [[
			local pieces = { 'one', 'two' }
			local seen = http.put(origin .. '/mirror', { body = function() return table.remove(pieces, 1) end }):json()
			return seen.headers['transfer-encoding'], seen.body, seen.headers['content-length'] ]])
	end)

	it("takes trailers, early hints and codings", function()
		check("ab|7", "local r = http.get(origin .. '/trailers') return r:text(), r.trailers['x-sum']")
		check("hinted", "return http.get(origin .. '/hints'):text()")
		check("packed", "return http.get(origin .. '/br'):text()")
		check("1088890", "return #http.get(origin .. '/gzip'):text()")
		check("404", "return http.get(origin .. '/x').status")
	end)

	it("hears when a response breaks off", function()
		check("closed", "local r = http.get(origin .. '/destroy') return (select(3, r:text()))")
	end)
end)
