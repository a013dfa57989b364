local around = require("tests.support.around")

local run = [[
return function(request, response)
	return assert(load("local request, response = ... " .. request:text(), "=run"))(request, response)
end
]]

describe("a handler that returns", function()
	local gateway, connection

	around({ files = {
		["handlers/run.lua"] = run,
		["handlers/simple.lua"] = "return function() return 'one', nil end",
		["handlers/buffer.lua"] = [[
			local kept = require("tidegate.buffer").new("once")
			return function() return kept end]],
	} }, function(...)
		gateway, connection = ...
	end)

	local function post(code)
		return connection:fetch("POST", "/run", nil, code)
	end

	local text, json, bytes = "text/plain; charset=utf-8", "application/json", "application/octet-stream"

	-- what is returned; status, type and body that come
	local cases = {
		{ "", 204, nil, "" },
		{ "return nil", 204, nil, "" },
		{ "return nil, nil, nil", 204, nil, "" },
		{ "response.status = 202", 202, nil, "" },
		{ "return 'text'", 200, text, "text" },
		{ "return ''", 200, text, "" },
		{ "return 'a\\0\\255'", 200, text, "a\0\255" },
		{ "return 'text', nil", 200, text, "text" },
		{ "response.status = 201 return 'text'", 201, text, "text" },
		{ "return { a = 1 }", 200, json, '{"a":1}' },
		{ "return { 1, 'b', { } }", 200, json, '[1,"b",{}]' },
		{ "return {}", 200, json, "{}" },
		{ "return require('tidegate.json').array({})", 200, json, "[]" },
		{ "response.status = 201 return {}", 201, json, "{}" },
		{ "return require('tidegate.buffer').new('a', 'b')", 200, bytes, "ab" },
		{ "return require('tidegate.buffer').new()", 200, bytes, "" },
		{ "return 200", 200, nil, "" },
		{ "return 404", 404, nil, "" },
		{ "return 599", 599, nil, "" },
		{ "return 201.0", 201, nil, "" },
		{ "return 404, nil", 404, nil, "" },
		{ "return 404, 'gone'", 404, text, "gone" },
		{ "return 404, { error = 'gone' }", 404, json, '{"error":"gone"}' },
		{ "return 404, require('tidegate.buffer').new('gone')", 404, bytes, "gone" },
		{ "response.status = 201 return 404, 'gone'", 404, text, "gone" },
		{ "return 200, 'x', {}", 200, text, "x" },
		{ "return 200, 'x', nil", 200, text, "x" },
		{ "return 200, 'x', { ['content-type'] = 'text/html' }", 200, "text/html", "x" },
		{ "return 200, nil, { ['content-type'] = 'text/html' }", 200, "text/html", "" },
		{ "response.headers['content-type'] = 'a/b' return 200, 'x', { ['content-type'] = 'c/d' }", 200, "c/d", "x" },
	}
	for _, case in ipairs(cases) do
		local code, status, kind, body = table.unpack(case, 1, 4)
		it(("%q answers %d"):format(code, status), function()
			local response = post(code)
			assert.equal(status, response.status)
			assert.equal(kind, response.headers["content-type"])
			assert.equal(body, response.body)
			if status ~= 204 then
				assert.equal(tostring(#body), response.headers["content-length"])
			end
		end)
	end

	it("a buffer gives it away", function()
		assert.equal("once", gateway:get("/buffer").body)
		assert.equal("", gateway:get("/buffer").body)
	end)

	it("large values has them sent whole", function()
		assert.equal(("x"):rep(5000000), post("return ('x'):rep(5000000)").body)
		assert.equal(5000000, #post("return 200, require('tidegate.buffer').new(('x'):rep(5000000))").body)
	end)

	describe("what it must not is an error:", function()
		local wrong = {
			{ "return true", "returned a boolean: a body is a string, a table or a buffer" },
			{ "return false", "returned a boolean: a body" },
			{ "return print", "returned a function: a body" },
			{ "return coroutine.create(print)", "returned a thread: a body" },
			{ "return request", "returned a userdata: a body" },
			{ "return 200, true", "returned a boolean: a body" },
			{ "return 200, 200", "returned a number: a body" },
			{ "return 199", "returned 199 as a status: it is an integer from 200 to 599" },
			{ "return 600", "returned 600 as a status" },
			{ "return 0", "returned 0 as a status" },
			{ "return -1", "returned %-1 as a status" },
			{ "return 200.5", "returned 200.5 as a status" },
			{ "return 1 / 0", "returned inf as a status" },
			{ "return 'x', 200", "returned a string first: it returns a body, or status, body, headers in this order" },
			{ "return {}, {}", "returned a table first" },
			{ "return nil, 'not found'", "returned nil and a message: not found" },
			{ "return '200', 'x'", "returned a string first" },
			{ "return 200, 'x', 'text/html'", "returned a string as headers, not a table" },
			{ "return 200, 'x', true", "returned a boolean as headers" },
			{ "return { print }", "a function has no form in JSON" },
			{ "return { '\\255' }", "UTF%-8" },
			{ "local t = {} t.t = t return t", "cannot encode" },
		}
		for _, case in ipairs(wrong) do
			local code, message = table.unpack(case)
			it(("%q"):format(code), function()
				local from = #gateway:log() + 1
				local response = post(code)
				assert.equal(500, response.status)
				assert.equal("application/problem+json", response.headers["content-type"])
				assert.is_nil(response.body:find("returned", 1, true))
				assert.is_nil(response.body:find("handlers", 1, true))
				local id = response.body:match('"instance":"urn:request:(%x+)"')
				local where = message:find("^returned") and "handlers/run%.lua: a handler " or ""
				gateway:wait_log(where .. message .. "[^\n]*" .. id, from)
				assert.equal("next", post("return 'next'").body)
			end)
		end
	end)

	it("after it wrote is an error of its own", function()
		for _, code in ipairs({ "response:json({}) return 'x'", "response:finish() return 200", "response:redirect('/') return {}" }) do
			local from = #gateway:log() + 1
			assert.is_true(post(code).status < 400)
			gateway:wait_log("a handler returned a %a+ after it had written the response itself", from)
		end
	end)

	it("nil after it wrote is fine", function()
		local from = #gateway:log() + 1
		assert.equal("[1]", post("response:json({ 1 }) return nil, nil").body)
		assert.equal("x", post("return response:write('x') and nil").body)
		assert.equal("", gateway:log():sub(from))
	end)
end)
