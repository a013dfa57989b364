--- JSON-RPC 2.0; see docs/rpc.md.

local client = require("tidegate.rpc.client")
local failure = require("tidegate.rpc.failure")
local server = require("tidegate.rpc.server")

return {
	serve = server.serve,
	fail = failure.raise,
	client = client.new,
}
