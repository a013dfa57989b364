-- JSON-RPC with a server and a client that others have written.

local around = require("tests.support.around")

local files = {
	["handlers/rpc.lua"] = [[
		local shared = require("tidegate.shared").open("rpc")
		local rpc = require("tidegate.rpc")
		return rpc.serve({
			subtract = function(minuend, subtrahend) return minuend - subtrahend end,
			echo = function(value) return value end,
			mark = function(name) shared:set(name, true) end,
			seen = function(name) return shared:get(name) end,
			fail = function() rpc.fail(7, "no boat") end,
			boom = function() error("the secret") end,
		}, { any_content_type = true })]],
	["handlers/ask.lua"] = [[
		local json, rpc = require("tidegate.json"), require("tidegate.rpc")
		return function(request)
			local c = rpc.client("http://127.0.0.1:" .. request.query.port .. "/")
			local _, message, code = c:call("fail")
			local _, _, missing = c:call("nowhere")
			local results, errors = c:batch{ difference = { "subtract", { 3, 1 } }, error = { "nowhere" }, note = { "echo", { 1 }, notify = true } }
			return 200, json.encode({
				c:call("subtract", { 42, 23 }), c:call("subtract", { b = 23, a = 42 }), c:call("echo", { 9007199254740993 }),
				c:call("echo", { json.null }) == json.null, c:notify("echo", { 1 }), message, code, missing,
				results.difference, errors.error.code,
			})
		end]],
}

describe("JSON-RPC with others:", function()
	local gateway
	around({ files = files }, function(g)
		gateway = g
	end)

	it("their client calls our methods", function()
		local pipe = io.popen(("/usr/bin/python3 tests/support/rpc_peer.py call http://127.0.0.1:%d/rpc 2>&1"):format(gateway.port))
		local output = pipe:read("a")
		pipe:close()
		assert.equal(table.concat({
			"19 19",
			"9007199254740993 é None",
			"-32601 Method not found",
			"7 no boat",
			"-32603 Internal error",
			"[2, [1, {'a': []}]]",
			"True",
			"",
		}, "\n"), output)
	end)

	it("our client calls their methods", function()
		local name = os.tmpname()
		local pipe = io.popen("/usr/bin/python3 tests/support/rpc_peer.py serve 2>/dev/null >" .. name, "w")
		local port
		require("tests.support.program").await("its port", function()
			local file = io.open(name)
			port = file:read("l")
			file:close()
			return port
		end)
		local response = gateway:get("/ask?port=" .. port)
		pipe:close()
		os.remove(name)
		assert.match('^%[19,19,9007199254740993,true,true,"Server error: .*no boat\\n",%-32603,%-32601,2,%-32601%]$', response.body)
	end)
end)
