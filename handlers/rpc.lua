-- JSON-RPC 2.0: each function is a method, by position or by name.
--     curl --json '{"jsonrpc": "2.0", "method": "add", "params": {"a": 2, "b": 3}, "id": 1}' http://127.0.0.1:8080/rpc
local rpc = require("tidegate.rpc")
local timer = require("tidegate.timer")

return rpc.serve{
	add = function(a, b)
		if math.type(a) ~= "integer" or math.type(b) ~= "integer" then
			rpc.fail(-32602, "Invalid params", "integers only")
		end
		return a + b
	end,

	slowly = function(text)
		timer.sleep(0.1)
		return text
	end,

	address = function(request)
		return request.remote.address
	end,
}
