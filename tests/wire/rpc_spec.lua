-- JSON-RPC 2.0 as a client sees it.

local around = require("tests.support.around")
local program = require("tests.support.program")

local handler = [[
local log = require("tidegate.log")
local rpc = require("tidegate.rpc")
local shared = require("tidegate.shared").open("rpc")
local task = require("tidegate.task")
local tidegate = require("tidegate")
local timer = require("tidegate.timer")

local inside, most = 0, 0

return rpc.serve({
	subtract = function(minuend, subtrahend) return minuend - subtrahend end,
	sum = function(...)
		local n = 0
		for _, v in ipairs({ ... }) do n = n + v end
		return n
	end,
	update = function(...) shared:set("updated", select("#", ...)) end,
	notify_hello = function(n) shared:set("hello", n) end,
	notify_sum = function() shared:set("sum", true) end,
	foobar = function() end,
	get_data = function() return { "hello", 5 } end,

	seen = function(name) return shared:get(name) end,
	echo = function(value) return value end,
	count = function(...) return select("#", ...) end,
	who = function(request, name) return request.method .. " " .. request.id .. " " .. tostring(name) end,
	need = { params = { "a", "b?" }, call = function(a, b) return { a = a, b = b } end },
	wrapped = { params = { "text" }, call = string.upper },
	["user.rename"] = { params = { "id", "name" }, call = function(request, id, name) return id .. name .. request.method end },

	nap = function(seconds, value) timer.sleep(seconds) return value end,
	crowd = function()
		inside = inside + 1
		most = math.max(most, inside)
		timer.sleep(0.005)
		inside = inside - 1
		return most
	end,
	park = function(name)
		local _ <close> = setmetatable({}, { __close = function() shared:incr("closed", 1) end })
		shared:set("parked", true)
		timer.sleep(60)
	end,

	fail = function() rpc.fail(-32001, "no boat", { name = "Ann" }) end,
	fail_plain = function() rpc.fail(7, "seven") end,
	fail_data = function() rpc.fail(7, "seven", print) end,
	fail_args = function(code, message) rpc.fail(code, message) end,
	caught = function() return tostring(select(2, pcall(rpc.fail, 7, "seven"))) end,
	http = function() tidegate.fail(404, "no such boat") end,
	http_bare = function() tidegate.fail(410) end,
	boom = function() error("the secret") end,
	boom_table = function() error({}) end,
	boom_child = function() task.spawn(function() error("in a child") end):wait() end,
	boom_late = function() timer.sleep(0.001) error("the late secret") end,
	nothing = function() return nil, "no boat" end,
	unsayable = function() return { print } end,
	spin = function() while true do end end,
	hoard = function() local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end end,
}, { concurrency = 3, max_batch = 20, limits = { memory = 16 * 2^20, body = 100000 } })
]]

-- Spaces outside of strings do not count, and neither does what we add to say more.
local function plain(text)
	local strings = {}
	text = text:gsub('"[^"]*"', function(s)
		strings[#strings + 1] = s
		return "\1"
	end):gsub("%s", ""):gsub("\1", function()
		return table.remove(strings, 1)
	end)
	return text
end

local function without_data(text)
	return (text:gsub('\\"', "'"):gsub(',"data":"[^"]*"', ""))
end

describe("tidegate.rpc", function()
	local gateway, connection

	around({ files = {
		["handlers/rpc.lua"] = handler,
	}, flags = { "--time-limit", "0.3" } }, function(g, c)
		gateway, connection = g, c
	end)

	local json_type = { "Content-Type: application/json" }

	local function post(text, path, headers)
		return connection:fetch("POST", path or "/rpc", headers or json_type, text)
	end

	local function call(text)
		local response = post(text)
		assert.equal(200, response.status, response.body)
		assert.equal("application/json", response.headers["content-type"])
		return response.body
	end

	local function method(name, params, id)
		return call(('{"jsonrpc":"2.0","method":"%s",%s"id":%s}'):format(name,
			params and '"params":' .. params .. "," or "", id or "1"))
	end

	local function result(text)
		return assert(text:match('^{"jsonrpc":"2.0","result":(.*),"id":1}$'), text)
	end

	-- Section 7 of the specification: what is sent, and what comes back.
	describe("answers the examples of the specification:", function()
		local examples = {
			{ "positional parameters", '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
				'{"jsonrpc": "2.0", "result": 19, "id": 1}' },
			{ "positional parameters, swapped", '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
				'{"jsonrpc": "2.0", "result": -19, "id": 2}' },
			{ "named parameters", '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
				'{"jsonrpc": "2.0", "result": 19, "id": 3}' },
			{ "named parameters, swapped", '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
				'{"jsonrpc": "2.0", "result": 19, "id": 4}' },
			{ "a notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}' },
			{ "a notification without parameters", '{"jsonrpc": "2.0", "method": "foobar"}' },
			{ "a method that does not exist", '{"jsonrpc": "2.0", "method": "foobars", "id": "1"}',
				'{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}' },
			{ "invalid JSON", '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
				'{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}' },
			{ "an invalid request", '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
				'{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}' },
			{ "a batch of invalid JSON", '[\n  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n  {"jsonrpc": "2.0", "method"\n]',
				'{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}' },
			{ "an empty batch", "[]",
				'{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}' },
			{ "an invalid batch that is not empty", "[1]",
				'[{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}]' },
			{ "an invalid batch", "[1,2,3]", [=[[
				{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
				{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
				{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}]]=] },
			{ "a batch", [=[[
				{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
				{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
				{"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
				{"foo": "boo"},
				{"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
				{"jsonrpc": "2.0", "method": "get_data", "id": "9"}]]=], [=[[
				{"jsonrpc": "2.0", "result": 7, "id": "1"},
				{"jsonrpc": "2.0", "result": 19, "id": "2"},
				{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
				{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
				{"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}]]=] },
			{ "a batch of notifications", [=[[
				{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
				{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]]=] },
		}
		for _, example in ipairs(examples) do
			local name, sent, expected = table.unpack(example)
			it(name, function()
				local response = post(sent)
				if expected then
					assert.equal(200, response.status)
					assert.equal(plain(expected), without_data(response.body))
				else
					assert.equal(204, response.status)
					assert.equal("", response.body)
				end
			end)
		end
	end)

	describe("gives arguments", function()
		local cases = {
			{ "as many as there are", "count", "[1,null,3]", "3" },
			{ "none if there are no parameters", "count", nil, "0" },
			{ "nil for null", "need", '["x",null]', '{"a":"x"}' },
			{ "nil for null by name", "need", '{"a":"x","b":null}', '{"a":"x"}' },
			{ "by the names of a list", "need", '{"b":2,"a":1}', '{"a":1,"b":2}' },
			{ "nil for what is optional", "need", '{"a":1}', '{"a":1}' },
			{ "nested null as it is", "echo", '[{"a":null,"b":[null]}]', '{"a":null,"b":[null]}' },
			{ "empty arrays as arrays", "echo", "[[]]", "[]" },
			{ "by name to a function in C with a list", "wrapped", '{"text":"ann"}', '"ANN"' },
			{ "behind the request, by position", "user.rename", '[7,"x"]', '"7xPOST"' },
			{ "behind the request, by name", "user.rename", '{"id":7,"name":"x"}', '"7xPOST"' },
			{ "exactly", "echo", "[9007199254740993]", "9007199254740993" },
		}
		for _, case in ipairs(cases) do
			local name, what, params, expected = table.unpack(case)
			it(name, function()
				assert.equal(expected, result(method(what, params)))
			end)
		end

		it("and the request to a first parameter of that name", function()
			assert.match('^"POST %x+ nil"$', result(method("who")))
			assert.match('^"POST %x+ ann"$', result(method("who", '["ann"]')))
			assert.match('^"POST %x+ ann"$', result(method("who", '{"name":"ann"}')))
		end)
	end)

	describe("refuses with -32602", function()
		local cases = {
			{ "too many parameters", "subtract", "[1,2,3]", "3 parameters; 2 are the most" },
			{ "a name that is none", "subtract", '{"minuend":1,"subtrahent":2}', "no parameter 'subtrahent'; did you mean 'subtrahend'?" },
			{ "the request from outside", "who", '{"request":1}', "no parameter 'request'" },
			{ "a missing one", "need", "[]", "parameter 'a' is missing" },
			{ "a missing one by name", "need", '{"b":1}', "parameter 'a' is missing" },
			{ "null where a value is needed", "need", "[null]", "parameter 'a' is missing" },
			{ "names where there are none", "sum", '{"a":1}', "no parameter 'a'" },
			{ "more than anybody needs", "count", "[" .. ("1,"):rep(1000) .. "1]", "1001 parameters; 1000 are the most" },
		}
		for _, case in ipairs(cases) do
			local name, what, params, data = table.unpack(case)
			it(name, function()
				assert.equal(('{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params","data":"%s"},"id":1}'):format(data),
					method(what, params))
			end)
		end
	end)

	describe("refuses with -32600", function()
		local version, id = 'jsonrpc must be \\"2.0\\"', "id must be a string, a number of at most 64 bits or null"
		local cases = {
			{ "no version", '{"method":"sum","id":1}', version, "1" },
			{ "another version", '{"jsonrpc":"2.1","method":"sum","id":1}', version, "1" },
			{ "a number as version", '{"jsonrpc":2.0,"method":"sum","id":1}', version, "1" },
			{ "version 1.0", '{"jsonrpc":"1.0","method":"sum","id":1}', version, "1" },
			{ "an id that is a boolean", '{"jsonrpc":"2.0","method":"sum","id":false}', id, "null" },
			{ "an id that is an object", '{"jsonrpc":"2.0","method":"sum","id":{}}', id, "null" },
			{ "an id that is an array", '{"jsonrpc":"2.0","method":"sum","id":[1]}', id, "null" },
			{ "an id beyond 64 bits", '{"jsonrpc":"2.0","method":"sum","id":18446744073709551615}', id, "null" },
			{ "no method", '{"jsonrpc":"2.0","id":"x"}', "method must be a string", '"x"' },
			{ "null as params", '{"jsonrpc":"2.0","method":"sum","params":null,"id":1}', "params must be an array or an object", "1" },
			{ "a string as params", '{"jsonrpc":"2.0","method":"sum","params":"x"}', "params must be an array or an object", "null" },
			{ "what is no object", '"hello"', "a call is an object", "null" },
			{ "an object that is empty", "{}", version, "null" },
			{ "a batch that is too long", "[" .. ("1,"):rep(20) .. "1]", "a batch of 21 calls; 20 are the most", "null" },
		}
		for _, case in ipairs(cases) do
			local name, sent, data, back = table.unpack(case)
			it(name, function()
				assert.equal(('{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":"%s"},"id":%s}'):format(data, back), call(sent))
			end)
		end
	end)

	describe("refuses with -32700", function()
		for name, sent in pairs({ nothing = "", ["bytes that are no UTF-8"] = '"\xff"', ["two values"] = "{} {}",
			["a number that is too large"] = "[1e400]", ["what nests too deep"] = ("["):rep(200) .. ("]"):rep(200) }) do
			it(name, function()
				assert.match('^{"jsonrpc":"2.0","error":{"code":%-32700,"message":"Parse error","data":"[^"\\]*.*"},"id":null}$', call(sent))
			end)
		end
	end)

	describe("sends back the id", function()
		for _, id in ipairs({ "0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993", "null", '""', '"1"', '"é\\n\\u0000"', "1.5" }) do
			it(id, function()
				assert.equal(('{"jsonrpc":"2.0","result":null,"id":%s}'):format(id), method("foobar", nil, id))
			end)
		end
	end)

	describe("answers errors of a method:", function()
		it("rpc.fail as it says", function()
			assert.equal('{"jsonrpc":"2.0","error":{"code":-32001,"message":"no boat","data":{"name":"Ann"}},"id":1}', method("fail"))
			assert.equal('{"jsonrpc":"2.0","error":{"code":7,"message":"seven"},"id":1}', method("fail_plain"))
			assert.equal('"7 seven"', result(method("caught")))
		end)

		it("tidegate.fail with its status as the code", function()
			assert.equal('{"jsonrpc":"2.0","error":{"code":404,"message":"no such boat"},"id":1}', method("http"))
			assert.equal('{"jsonrpc":"2.0","error":{"code":410,"message":"410"},"id":1}', method("http_bare"))
		end)

		local internal = '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":1}'
		local cases = {
			boom = "handlers/rpc%.lua:%d+: the secret",
			boom_late = "handlers/rpc%.lua:%d+: the late secret",
			boom_table = "table: ",
			boom_child = "in a child.*it came from a task that this one waited for: handlers/rpc%.lua:%d+",
			nothing = "a method returned nil and a message: no boat",
			unsayable = "cannot encode %[1%]: a function has no form in JSON",
			fail_data = "cannot encode the value: a function has no form in JSON",
		}
		for name, message in pairs(cases) do
			it(name .. " as -32603, and the log says why", function()
				local from = #gateway:log()
				assert.equal(internal, method(name))
				local line = gateway:wait_log("([^\n]*" .. message .. "[^\n]*)\n", from)
				assert.match('"level":"error"', line)
				assert.match('"request":"%x+","route":"/rpc"', line)
				assert.match('"method":"' .. name .. '"', line)
				if name ~= "fail_data" then
					assert.match("stack traceback", line)
				end
			end)
		end

		it("a misuse of rpc.fail at the caller's line", function()
			assert.equal(internal, method("fail_args", '["x","y"]'))
			gateway:wait_log("handlers/rpc%.lua:%d+: fail%(%) takes an integer as its code, not x")
			assert.equal(internal, method("fail_args", "[1]"))
			gateway:wait_log("handlers/rpc%.lua:%d+: fail%(%) takes a string as its message, not a nil")
		end)

		it("nothing to a notification, but the log has it", function()
			local from = #gateway:log()
			assert.equal(204, post('{"jsonrpc":"2.0","method":"boom"}').status)
			gateway:wait_log("the secret", from)
			assert.equal(204, post('{"jsonrpc":"2.0","method":"nowhere"}').status)
			assert.equal(204, post('{"jsonrpc":"2.0","method":"subtract","params":[1,2,3]}').status)
			assert.equal(204, post('{"jsonrpc":"2.0","method":"fail"}').status)
		end)
	end)

	describe("runs a batch", function()
		local function batch(...)
			local calls = {}
			for i, one in ipairs({ ... }) do
				calls[i] = ('{"jsonrpc":"2.0","method":%s,"id":%d}'):format(one, i)
			end
			return call("[" .. table.concat(calls, ",") .. "]")
		end

		it("in the order of its calls, whoever is ready first", function()
			assert.equal('[{"jsonrpc":"2.0","result":"a","id":1},{"jsonrpc":"2.0","result":"b","id":2},{"jsonrpc":"2.0","result":"c","id":3}]',
				batch('"nap","params":[0.02,"a"]', '"nap","params":[0,"b"]', '"nap","params":[0.01,"c"]'))
		end)

		it("with so many calls at once, and no more", function()
			local text = batch(table.unpack({ '"crowd"', '"crowd"', '"crowd"', '"crowd"', '"crowd"', '"crowd"', '"crowd"', '"crowd"' }))
			assert.match('"result":3,"id":8}%]$', text)
			assert.not_match('"result":[4-9]', text)
		end)

		it("of which each call fails for itself", function()
			local text = batch('"boom"', '"spin"', '"echo","params":["fine"]', '"fail_plain"')
			local internal = '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":%d}'
			assert.equal(("[%s,%s,%s,%s]"):format(internal:format(1), internal:format(2),
				'{"jsonrpc":"2.0","result":"fine","id":3}', '{"jsonrpc":"2.0","error":{"code":7,"message":"seven"},"id":4}'), text)
			gateway:wait_log('time budget exceeded.*"method":"spin"')
		end)

		it("of as many calls as are allowed", function()
			local calls = {}
			for i = 1, 20 do
				calls[i] = '"foobar"'
			end
			assert.match('"id":20}%]$', batch(table.unpack(calls)))
		end)
	end)

	it("answers 503 to one call that takes too much time or memory", function()
		for _, name in ipairs({ "spin", "hoard" }) do
			assert.equal(503, post(('{"jsonrpc":"2.0","method":"%s","id":1}'):format(name)).status)
		end
	end)

	it("runs notifications", function()
		post('{"jsonrpc":"2.0","method":"notify_hello","params":[42]}')
		assert.equal("42", result(method("seen", '["hello"]')))
	end)

	it("ends its methods when the client leaves, in a batch too", function()
		local park = '{"jsonrpc":"2.0","method":"park","id":1}'
		for i, sent in ipairs({ park, "[" .. park .. "," .. park .. "]" }) do
			local before = tonumber((result(method("seen", '["closed"]')):gsub("null", "0")))
			local other = gateway:connect():ask("POST", "/rpc", json_type, sent)
			program.await("it to begin", function() return result(method("seen", '["parked"]')) == "true" end)
			other:close()
			program.await("its end", function()
				return result(method("seen", '["closed"]')) == tostring(before + i)
			end)
		end
	end)

	-- What no client means, put together by chance: always an answer, and never a failure of ours.
	it("answers whatever comes", function()
		local parts = { "{", "}", "[", "]", ",", ":", '"jsonrpc"', '"2.0"', '"method"', '"echo"', '"need"', '"params"', '"id"', "1", "null", "1e9", '""', "true",
			'{"jsonrpc":"2.0","method":"echo","id":', '{"jsonrpc":"2.0","method":"subtract","params":', '"a"', '{"jsonrpc":"2.0","method":"sum","params":[', "\255" }
		math.randomseed(7)
		for _ = 1, 3000 do
			local sent = {}
			for i = 1, math.random(12) do
				sent[i] = parts[math.random(#parts)]
			end
			local text = table.concat(sent)
			local response = post(text)
			if response.status ~= 204 then
				assert.equal(200, response.status, text)
				assert.match('^%[?{"jsonrpc":"2.0","[er][re][rs].*}%]?$', response.body)
			end
		end
	end)
end)
