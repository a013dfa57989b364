-- rpc.serve as a route: what it takes by HTTP, its options, and what it refuses to be.

local around = require("tests.support.around")
local server = require("tests.support.server")

describe("rpc.serve", function()
	local connection

	around({ files = {
		["handlers/rpc.lua"] = "return require('tidegate.rpc').serve({ foobar = function() end }, { limits = { body = 100000 } })",
		["handlers/old.lua"] = [[
			local rpc = require("tidegate.rpc")
			return rpc.serve({
				getblockhash = function(height) return ("%064x"):format(height) end,
				getblockcount = function() return 840000 end,
				fail = function() rpc.fail(-5, "Block not found") end,
				seen = function(name) return require("tidegate.shared").open("rpc"):get(name) end,
				mark = function(name) require("tidegate.shared").open("rpc"):set(name, true) end,
			}, { version1 = true, any_content_type = true })]],
	} }, function(_, c)
		connection = c
	end)

	local function post(text, path, headers)
		return connection:fetch("POST", path or "/rpc", headers or { "Content-Type: application/json" }, text)
	end

	describe("as HTTP", function()
		it("takes POST only", function()
			for _, verb in ipairs({ "GET", "PUT", "DELETE" }) do
				local response = connection:fetch(verb, "/rpc")
				assert.equal(405, response.status)
				assert.equal("OPTIONS, POST", response.headers.allow)
			end
		end)

		local body = '{"jsonrpc":"2.0","method":"foobar","id":1}'

		for _, kind in ipairs({ "application/json", "Application/JSON; charset=utf-8", "application/json-rpc", "application/jsonrequest" }) do
			it("takes " .. kind, function()
				assert.equal(200, post(body, "/rpc", { "Content-Type: " .. kind }).status)
			end)
		end

		for _, kind in ipairs({ "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json" }) do
			it("refuses " .. kind .. ", unless it is told not to", function()
				local response = post(body, "/rpc", { "Content-Type: " .. kind })
				assert.equal(415, response.status)
				assert.match("send content%-type: application/json", response.body)
				assert.equal(200, post('{"method":"getblockcount","id":1}', "/old", { "Content-Type: " .. kind }).status)
			end)
		end

		it("refuses what has no type", function()
			assert.equal(415, post(body, "/rpc", {}).status)
		end)

		it("has the route's limit of content", function()
			assert.equal(413, post(('"%s"'):format(("x"):rep(100001))).status)
		end)
	end)

	describe("with version1", function()
		local function old(text)
			return post(text, "/old", {})
		end

		it("answers in the form of 1.0", function()
			assert.equal(('{"result":"%064x","error":null,"id":"curl"}'):format(7), old('{"jsonrpc":"1.0","id":"curl","method":"getblockhash","params":[7]}').body)
			assert.equal('{"result":840000,"error":null,"id":1}', old('{"method":"getblockcount","params":[],"id":1}').body)
			assert.equal('{"result":840000,"error":null,"id":1}', old('{"version":"1.1","method":"getblockcount","params":null,"id":1}').body)
			assert.equal('{"result":null,"error":{"code":-5,"message":"Block not found"},"id":1}', old('{"method":"fail","params":[],"id":1}').body)
			assert.equal('{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}', old('{"method":"no","params":[],"id":1}').body)
		end)

		it("knows a notification by an id that is null or missing", function()
			for i, id in ipairs({ ',"id":null', "" }) do
				assert.equal(204, old(('{"method":"mark","params":["n%d"]%s}'):format(i, id)).status)
				assert.equal('{"result":true,"error":null,"id":1}', old(('{"method":"seen","params":["n%d"],"id":1}'):format(i)).body)
			end
		end)

		it("answers 2.0 as ever, and both in one batch", function()
			assert.equal('[{"result":840000,"error":null,"id":1},{"jsonrpc":"2.0","result":840000,"id":null}]',
				old('[{"method":"getblockcount","id":1},{"jsonrpc":"2.0","method":"getblockcount","id":null}]').body)
		end)

		it("refuses versions nobody knows", function()
			assert.match("%-32600", old('{"jsonrpc":"3.0","method":"getblockcount","id":1}').body)
		end)
	end)

	describe("refuses to load", function()
		local cases = {
			{ "serve()", "serve%(%) takes a table of methods, not a nil" },
			{ "serve({})", "serve%(%) takes a table with at least one method" },
			{ "serve({ print })", "the name of a method is a string, not a number" },
			{ "serve({ a = 1 })", "method 'a' is a function, or a table with 'call', not a number" },
			{ "serve({ a = {} })", "'call' of method 'a' is a function, not a nil" },
			{ "serve({ a = { call = print, parms = {} } })", "unknown key 'parms' of method 'a'; did you mean 'params'%?" },
			{ "serve({ a = { call = print, params = 'x' } })", "'params' of method 'a' is a list of names, not a string" },
			{ "serve({ a = { call = print, params = { x = 1 } } })", "'params' of method 'a' is a list of names" },
			{ "serve({ a = { call = print, params = { '1' } } })", "'1' of method 'a' is no name of a parameter" },
			{ "serve({ ['rpc.a'] = print })", "'rpc%.a': names that begin with 'rpc%.' belong to JSON%-RPC itself" },
			{ "serve({ a = print }, { max_bach = 1 })", "unknown option 'max_bach' of rpc.serve; did you mean 'max_batch'%?" },
			{ "serve({ a = print }, { max_batch = 0 })", "'max_batch' of rpc.serve is an integer from 1" },
			{ "serve({ a = print }, { version1 = 1 })", "'version1' of rpc.serve is a boolean, not a number" },
			{ "serve({ a = print }, 1)", "serve%(%) takes a table of options, not a number" },
		}
		local other
		setup(function()
			other = server.start({ files = { ["handlers/a.lua"] = "return function() end" } })
		end)
		teardown(function()
			other:stop()
		end)
		it("and names the line of a return, too", function()
			other.project:write("handlers/b.lua", 'local rpc = require("tidegate.rpc")\n\nreturn rpc.serve{\n\ta = function()\n\t\treturn 1\n\tend,\n\tb = 1,\n}')
			assert.match("handlers/b.lua:3: method 'b' is a function", (select(2, other:reload())))
		end)

		for _, case in ipairs(cases) do
			local code, message = table.unpack(case)
			it(code, function()
				other.project:write("handlers/b.lua", 'local rpc = require("tidegate.rpc")\nlocal route = rpc.' .. code .. "\nreturn route")
				local _, errors, status = other:reload()
				assert.equal(1, status)
				assert.match("handlers/b.lua:2: " .. message, errors)
			end)
		end
	end)
end)
