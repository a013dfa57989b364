-- rpc.client against our own server, and against one that a spec plays by hand.

local socket = require("socket")

local around = require("tests.support.around")
local program = require("tests.support.program")

-- Serves methods, asks itself, and asks whom the spec names.
local files = {
	["handlers/rpc.lua"] = [[
		local rpc = require("tidegate.rpc")
		local shared = require("tidegate.shared").open("rpc")
		return rpc.serve({
			subtract = function(minuend, subtrahend) return minuend - subtrahend end,
			echo = function(value) return value end,
			nothing = function() end,
			fail = function() rpc.fail(7, "no boat", { name = "Ann" }) end,
			mark = function(name) shared:set(name, true) end,
			seen = function(name) return shared:get(name) end,
			nap = function() require("tidegate.timer").sleep(60) end,
			who = function(request) return request.headers.authorization, nil end,
			agent = function(request) return request.headers["x-agent"] end,
		}, { version1 = true })]],
	["handlers/run.lua"] = [[
		local json, rpc, task = require("tidegate.json"), require("tidegate.rpc"), require("tidegate.task")
		local timer, shared = require("tidegate.timer"), require("tidegate.shared").open("rpc")
		local function show(...)
			local list = json.array(table.pack(...))
			local n = list.n
			list.n = nil
			for i = 1, n do if list[i] == nil then list[i] = json.null end end
			return json.encode(list, { sort = true })
		end
		return function(request)
			local url = "http://127.0.0.1:" .. request.headers["x-port"] .. "/rpc"
			local code = "local rpc, url, json, task, timer, shared, show = ... " .. request:text()
			return assert(load(code, "=run"))(rpc, url, json, task, timer, shared, show)
		end]],
}

describe("rpc.client", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	local function ask(code, port)
		return connection:ask("POST", "/run", { "X-Port: " .. (port or gateway.port) }, code)
	end

	local function answer(code, port)
		return ask(code, port):response().body
	end

	describe("of our own server", function()
		local cases = {
			{ "gives a result", "c:call('subtract', { 42, 23 })", "[19]" },
			{ "takes parameters by name", "c:call('subtract', { subtrahend = 23, minuend = 42 })", "[19]" },
			{ "takes no parameters", "c:call('echo')", "[null]" },
			{ "takes empty parameters", "c:call('echo', {})", "[null]" },
			{ "gives json.null for null", "c:call('nothing') == json.null", "[true]" },
			{ "keeps integers of 64 bits", "c:call('echo', { 9007199254740993 })", "[9007199254740993]" },
			{ "gives false", "c:call('echo', { false })", "[false]" },
			{ "gives nil, message, code and data", "c:call('fail')", '[null,"no boat",7,{"name":"Ann"}]' },
			{ "gives the errors of JSON-RPC", "c:call('nowhere')", '[null,"Method not found",-32601,null]' },
			{ "says what is wrong with parameters", "c:call('subtract', { 1, 2, 3 })",
				'[null,"Invalid params",-32602,"3 parameters; 2 are the most"]' },
			{ "sends notifications", "c:notify('mark', { 'n' }), c:call('seen', { 'n' })", "[true,true]" },
			{ "hears nothing of a notification's error", "c:notify('fail')", "[true]" },
			{ "asks in a batch", "c:batch{ { 'subtract', { 3, 1 } }, { 'echo', { 'x' } } }", '[[2,"x"],{}]' },
			{ "keeps the keys of a batch", "c:batch{ a = { 'echo', { 1 } }, b = { 'fail' }, n = { 'mark', { 'b' }, notify = true } }",
				'[{"a":1},{"b":{"code":7,"data":{"name":"Ann"},"message":"no boat"}}]' },
			{ "asks in a batch of notifications", "c:batch{ { 'mark', { 'c' }, notify = true } }", "[{},{}]" },
			{ "asks nobody for an empty batch", "rpc.client('http://127.0.0.1:1/'):batch{}", "[{},{}]" },
			{ "authenticates by Basic", "rpc.client(url, { user = 'ann', password = 'b:c' }):call('who')", '["Basic YW5uOmI6Yw=="]' },
			{ "sends header fields", "rpc.client(url, { headers = { ['x-agent'] = '7' } }):call('agent')", '["7"]' },
			{ "ends after its timeout", "select(3, rpc.client(url, { timeout = 0.05 }):call('nap'))", '["timeout"]' },
			{ "ends when its task is cancelled", "(function() local h = task.spawn(c.call, c, 'nap') timer.sleep(0.02) h:cancel() return (select(2, h:wait())) end)()",
				'["cancelled"]' },
			{ "says that nobody is there", "select(3, rpc.client('http://127.0.0.1:1/'):call('nap'))", '["refused"]' },
			{ "speaks version 1.0", "rpc.client(url, { version = '1.0' }):call('subtract', { 42, 23 })", "[19]" },
			{ "hears errors of version 1.0", "rpc.client(url, { version = '1.0' }):call('fail')", '[null,"no boat",7,{"name":"Ann"}]' },
			{ "sends notifications of version 1.0", "rpc.client(url, { version = '1.0' }):notify('mark', { 'o' }), c:call('seen', { 'o' })", "[true,true]" },
			{ "asks in batches of version 1.0", "rpc.client(url, { version = '1.0' }):batch{ { 'echo', { 1 } }, { 'echo' } }", "[[1,null],{}]" },
			{ "says what the address is not", "rpc.client(url .. 'x'):call('echo')", '[null,"the server answers with status 404","status",404]' },
		}
		for _, case in ipairs(cases) do
			local name, code, expected = table.unpack(case)
			it(name, function()
				assert.equal(expected, answer("local c = rpc.client(url) return show(" .. code .. ")"))
			end)
		end

		it("asks many at once, each with its own answer", function()
			assert.equal("[true]", answer([[
				local c, work = rpc.client(url), {}
				for i = 1, 50 do work[i] = function() return c:call("echo", { i }) == i end end
				for _, right in ipairs(task.all(work)) do if not right then return "wrong" end end
				return show(true)]]))
		end)
	end)

	-- A server that sends what a spec says, after it has read a request.
	local function peer(code, reply)
		local listener = assert(socket.bind("127.0.0.1", 0))
		local _, port = listener:getsockname()
		listener:settimeout(program.patience)
		ask("local c = rpc.client(url) return show(" .. code .. ")", port)
		local stream = assert(listener:accept())
		stream:settimeout(program.patience)
		local head = {}
		repeat
			head[#head + 1] = assert(stream:receive("*l"))
		until head[#head] == ""
		local text = table.concat(head, "\n")
		local body = stream:receive(tonumber(text:lower():match("content%-length: (%d+)")))
		assert(stream:send(reply))
		stream:close()
		listener:close()
		return connection:response().body, text, body
	end

	local function http(status, body)
		return ("HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(status, #body, body)
	end

	it("asks as the specification says", function()
		local _, head, body = peer("c:call('a.b', { 1, 'x' })", http("200 OK", "{}"))
		assert.match("^POST /rpc HTTP/1.1\n", head)
		assert.match("\ncontent%-type: application/json\n", head:lower())
		assert.equal('{"id":1,"jsonrpc":"2.0","method":"a.b","params":[1,"x"]}', body)
		assert.equal('{"jsonrpc":"2.0","method":"a"}', select(3, peer("c:notify('a')", http("200 OK", ""))))
		assert.equal('{"id":1,"jsonrpc":"1.0","method":"a","params":[]}',
			select(3, peer("rpc.client(url, { version = '1.0' }):call('a')", http("200 OK", ""))))
		assert.equal('{"id":null,"jsonrpc":"1.0","method":"a","params":[]}',
			select(3, peer("rpc.client(url, { version = '1.0' }):notify('a')", http("200 OK", ""))))
	end)

	describe("of a server that", function()
		local function is(name, body, expected, status, code)
			it(name, function()
				assert.equal(expected, (peer(code or "c:call('a')", http(status or "200 OK", body))))
			end)
		end
		local malformed = '[null,"the answer %s","malformed"]'
		local good = '{"jsonrpc":"2.0","result":1,"id":1}'

		is("answers well", good, "[1]")
		is("answers in the form of 1.1", '{"result":1,"error":null,"id":1}', "[1]")
		is("answers with another id", '{"jsonrpc":"2.0","result":1,"id":2}', malformed:format("is to another call"))
		is("answers with the id as a string", '{"jsonrpc":"2.0","result":1,"id":"1"}', malformed:format("is to another call"))
		is("answers without an id", '{"jsonrpc":"2.0","result":1}', malformed:format("is to another call"))
		is("fails with another id", '{"error":{"code":1,"message":"x"},"id":2}', malformed:format("is to another call"))
		is("fails with no id, as it could not read the call", '{"error":{"code":-32700,"message":"Parse error"},"id":null}', '[null,"Parse error",-32700,null]')
		is("sends an error that is none", '{"error":7,"id":1}', malformed:format("has an error without code and message"))
		is("sends an error without a code", '{"error":{"message":"x"},"id":1}', malformed:format("has an error without code and message"))
		is("sends an error as text", '{"result":null,"error":"no","id":1}', '[null,"no","error"]')
		is("sends neither result nor error", '{"jsonrpc":"2.0","id":1}', malformed:format("is none of JSON-RPC"))
		is("sends an error that is null, and no result", '{"error":null,"id":1}', malformed:format("has neither a result nor an error"))
		is("sends a list", "[" .. good .. "]", malformed:format("is none of JSON-RPC"))
		is("sends a number", "7", malformed:format("is none of JSON-RPC"))
		is("sends no JSON", "<p>", malformed:format("is no JSON: line 1, column 1: expected a value but found '<'"))
		is("sends nothing", "", malformed:format("is no JSON: line 1, column 1: expected a value but found the end of the text"))
		is("fails with 500 and says why, as bitcoind does", '{"result":null,"error":{"code":-5,"message":"Block not found"},"id":1}',
			'[null,"Block not found",-5,null]', "500 Internal Server Error")
		is("fails with 404 and says why", '{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}',
			'[null,"Method not found",-32601,null]', "404 Not Found")
		is("fails with 500 and a result", good, '[null,"the server answers with status 500","status",500]', "500 Internal Server Error")
		is("fails with 500 and text", "Work queue depth exceeded", '[null,"the server answers with status 500","status",500]', "500 Internal Server Error")
		is("knows us not", "", '[null,"the server answers with status 401","status",401]', "401 Unauthorized")
		is("refuses a notification", "", '[null,"the server answers with status 401","status",401]', "401 Unauthorized", "c:notify('a')")
		is("redirects", "", '[null,"the server answers with status 302","status",302]', "302 Found\r\nLocation: http://127.0.0.1:1/")

		local two = "c:batch{ { 'a' }, { 'b' } }"
		is("answers a batch in another order", '[{"result":2,"id":2},{"result":1,"id":1}]', "[[1,2],{}]", nil, two)
		is("answers but one of a batch", '[{"result":2,"id":2}]',
			'[{"b":2},{"a":{"code":"malformed","message":"the answer has none to this call"}}]', nil,
			"(function() local r, e = c:batch{ { 'a' }, { 'b' } } return { b = r[2] }, { a = e[1] } end)()")
		is("answers a batch twice", '[{"result":1,"id":1},{"result":1,"id":1}]', malformed:format("has an answer to another call"), nil, two)
		is("answers what is in no batch", '[{"result":1,"id":9}]', malformed:format("has an answer to another call"), nil, two)
		is("answers a batch with a number", "7", malformed:format("is no batch"), nil, two)
		is("answers a batch with an object", '{"result":1,"id":1}', malformed:format("is no batch"), nil, two)
		is("refuses a batch", '{"error":{"code":-32600,"message":"Invalid Request"},"id":null}', '[null,"Invalid Request",-32600,null]', nil, two)
		is("fails with 500 to a batch", "", '[null,"the server answers with status 500","status",500]', "500 Internal Server Error", two)
		is("sends no JSON to a batch", "{", malformed:format("is no JSON: line 1, column 2: expected a key or '}' but found the end of the text"), nil, two)

		for name, reply in pairs({
			["says nothing"] = "",
			["cuts its answer off"] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" .. good,
			["cuts its head off"] = "HTTP/1.1 200 OK\r\nContent-Le",
			["speaks no HTTP"] = "hello\r\n\r\n",
			["frames in two ways"] = "HTTP/1.1 200 OK\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n" .. good,
		}) do
			it(name, function()
				assert.match('^%["[%a_]+"%]$', (peer("select(3, c:call('a'))", reply)))
			end)
		end
	end)

	it("ends its call when the client leaves", function()
		local listener = assert(socket.bind("127.0.0.1", 0))
		local _, port = listener:getsockname()
		listener:settimeout(program.patience)
		local other = gateway:connect():ask("POST", "/run", { "X-Port: " .. port }, "return show(rpc.client(url):call('a'))")
		local stream = assert(listener:accept())
		stream:settimeout(program.patience)
		assert(stream:receive("*l"))
		other:close()
		local text, why = stream:receive("*a") -- all of the request, then the end
		assert.is_truthy(text or why == "closed" or why == "Connection reset by peer", why)
		stream:close()
		listener:close()
	end)

	describe("raises at the line of its caller", function()
		local cases = {
			{ "rpc.client()", "client() takes a url, a string, not a nil" },
			{ "rpc.client('localhost')", "'localhost' is no absolute URL" },
			{ "rpc.client(url, { usr = 'x' })", "unknown option 'usr' of rpc.client" },
			{ "rpc.client(url, { timeout = 'x' })", "the option 'timeout' is seconds" },
			{ "rpc.client(url, { user = 'x' })", "user and password are two strings" },
			{ "rpc.client(url, { version = 2 })", 'the version is "2.0" or "1.0"' },
			{ "rpc.client(url):call()", "the name of a method is a string, not a nil" },
			{ "rpc.client(url):call('a', 1)", "params are a table, a list or names with values, not a number" },
			{ "rpc.client(url):call('a', { print })", "cannot encode .params[1]: a function has no form in JSON" },
			{ "rpc.client(url):notify(1)", "the name of a method is a string, not a number" },
			{ "rpc.client(url):batch()", "batch() takes a table of calls, not a nil" },
			{ "rpc.client(url):batch{ 'a' }", "call 1 of a batch is a table, not a string" },
			{ "rpc.client(url):batch{ { 1 } }", "the name of a method is a string, not a number" },
		}
		for _, case in ipairs(cases) do
			local code, message = table.unpack(case)
			it(code, function()
				local body = answer(("local _, m = pcall(function()\nlocal x = %s\nend) return m"):format(code))
				assert.is_truthy(body:find("run:2: ", 1, true) == 1 and body:find(message, 1, true), body)
			end)
		end
	end)
end)
