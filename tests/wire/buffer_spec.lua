local server = require("tests.support.server")

local run = [[
return function(request)
	local code = "local buffer, request = require('tidegate.buffer'), ... local b = buffer.new('ebb\\nflood\\r\\nslack') "
	return assert(load(code .. request:text(), "=run"))(request)
end
]]

describe("tidegate.buffer", function()
	local gateway, connection

	lazy_setup(function()
		gateway = server.start({ files = {
			["handlers/run.lua"] = run,
			["handlers/kept.lua"] = [[
				local kept
				return { POST = function(request) kept = request:buffer() return 204 end,
					GET = function() return tostring(kept) end }]],
		} })
		connection = gateway:connect()
	end)

	lazy_teardown(function()
		connection:close()
		gateway:stop()
	end)

	local function value_of(code)
		return connection:fetch("POST", "/run", nil, code).body
	end

	-- b holds "ebb\nflood\r\nslack", 16 bytes.
	local cases = {
		{ "new", {
			{ "makes an empty one", "return #buffer.new() .. tostring(buffer.new())", "0" },
			{ "takes strings, numbers and buffers", "return tostring(buffer.new('a', 1, 1.5, b))", "a11.5ebb\nflood\r\nslack" },
			{ "empties the buffers it takes", "buffer.new(b) return tostring(#b)", "0" },
		} },
		{ "#", {
			{ "is the number of bytes", "return tostring(#b)", "16" },
			{ "counts zero bytes", "return tostring(#buffer.new('\\0\\0'))", "2" },
		} },
		{ "tostring", {
			{ "gives all bytes and leaves them", "return tostring(b) .. #b", "ebb\nflood\r\nslack16" },
			{ "gives any bytes", "return tostring(buffer.new('\\0\\255'))", "\0\255" },
		} },
		{ "add", {
			{ "adds at the end", "b:add('!') return tostring(b):sub(-2)", "k!" },
			{ "adds several", "b:add(1, '2', buffer.new('3')) return tostring(b):sub(-3)", "123" },
			{ "returns the buffer", "return tostring(b:add('!') == b)", "true" },
			{ "empties a buffer that is added", "local o = buffer.new('x') b:add(o) return tostring(#o)", "0" },
			{ "may add nothing", "b:add() b:add('') return tostring(#b)", "16" },
		} },
		{ "take", {
			{ "removes and returns some bytes", "return b:take(3) .. #b", "ebb13" },
			{ "removes and returns all", "return b:take() .. #b", "ebb\nflood\r\nslack0" },
			{ "takes what there is", "return b:take(1000) .. #b", "ebb\nflood\r\nslack0" },
			{ "may take nothing", "return b:take(0) .. #b", "16" },
			{ "gives an empty string when it is empty", "b:take() return b:take(1) .. '.'", "." },
		} },
		{ "peek", {
			{ "returns some bytes and leaves them", "return b:peek(3) .. b:peek(4) .. #b", "ebbebb\n16" },
			{ "returns all", "return b:peek() .. #b", "ebb\nflood\r\nslack16" },
			{ "returns what there is", "return b:peek(99) .. #b", "ebb\nflood\r\nslack16" },
		} },
		{ "drain", {
			{ "removes some bytes and tells how many", "return b:drain(4) .. b:peek(5)", "4flood" },
			{ "removes all", "return b:drain() .. ' ' .. #b", "16 0" },
			{ "removes what there is", "return b:drain(99) .. ' ' .. b:drain(1)", "16 0" },
		} },
		{ "find", {
			{ "tells where a text begins", "return tostring(b:find('l'))", "6" },
			{ "tells where a longer text begins", "return tostring(b:find('slack'))", "12" },
			{ "counts from 1", "return tostring(b:find('ebb'))", "1" },
			{ "begins where it is told", "return tostring(b:find('l', 7))", "13" },
			{ "may begin at the text", "return tostring(b:find('l', 6))", "6" },
			{ "gives nil when there is none", "return tostring(b:find('x'))", "nil" },
			{ "gives nil when there is none from there", "return tostring(b:find('ebb', 2))", "nil" },
			{ "gives nil beyond the end", "return tostring(b:find('e', 1000))", "nil" },
			{ "gives nil for half a text at the end", "return tostring(b:find('slacker'))", "nil" },
			{ "knows no patterns", "return tostring(buffer.new('a.b'):find('.'))", "2" },
			{ "finds any bytes", "return tostring(buffer.new('a\\0b'):find('\\0b'))", "2" },
			{ "finds across what was added", "return tostring(buffer.new('sla', 'ck'):find('ack'))", "3" },
			{ "finds nothing in an empty one", "return tostring(buffer.new():find('a'))", "nil" },
		} },
		{ "line", {
			{ "takes a line without its end, LF or CRLF", "return b:line() .. ',' .. b:line() .. ',' .. #b", "ebb,flood,5" },
			{ "leaves what is no whole line", "b:line() b:line() return tostring(b:line()) .. #b", "nil5" },
			{ "goes on when the rest has come", "b:drain(11) b:line() b:add(' water\\nx') return b:line()", "slack water" },
			{ "takes empty lines", "local o = buffer.new('\\n\\r\\n') return o:line() .. o:line() .. tostring(o:line())", "nil" },
			{ "keeps a CR that ends no line", "return buffer.new('a\\rb\\n'):line()", "a\rb" },
			{ "takes one CR only", "return buffer.new('a\\r\\r\\n'):line()", "a\r" },
		} },
		{ "lines", {
			{ "gives all lines, and the rest as one", "local t = {} for l in b:lines() do t[#t + 1] = l end return table.concat(t, ',') .. #b",
				"ebb,flood,slack0" },
			{ "gives no line behind the last end", "local n = 0 for _ in buffer.new('a\\nb\\n'):lines() do n = n + 1 end return tostring(n)", "2" },
			{ "gives no line of an empty one", "for _ in buffer.new():lines() do return 'some' end return 'none'", "none" },
			{ "may be left", "for _ in b:lines() do break end return b:take()", "flood\r\nslack" },
		} },
		{ "move", {
			{ "moves all to the end of another", "local o = buffer.new('>') return b:move(o) .. tostring(o) .. #b", "16>ebb\nflood\r\nslack0" },
			{ "moves some", "local o = buffer.new('>') return b:move(o, 3) .. tostring(o) .. #b", "3>ebb13" },
			{ "moves what there is", "local o = buffer.new() return b:move(o, 99) .. ' ' .. b:move(o)", "16 0" },
			{ "may move nothing", "local o = buffer.new() return b:move(o, 0) .. ' ' .. #o", "0 0" },
		} },
	}
	for _, group in ipairs(cases) do
		local name, list = table.unpack(group)
		describe(name, function()
			for _, case in ipairs(list) do
				local what, code, expected = table.unpack(case)
				it(what, function()
					assert.equal(expected, value_of(code))
				end)
			end
		end)
	end

	describe("raises at the line of its caller", function()
		local wrong = {
			{ "b:take(-1)", "a number of bytes is not negative" },
			{ "b:peek(-1)", "a number of bytes is not negative" },
			{ "b:drain(-1)", "a number of bytes is not negative" },
			{ "b:move(buffer.new(), -1)", "a number of bytes is not negative" },
			{ "b:take(1.5)", "number has no integer representation" },
			{ "b:take('x')", "number expected, got string" },
			{ "b:add({})", "string expected, got table" },
			{ "b:add(nil)", "string expected, got nil" },
			{ "b:add(true)", "string expected, got boolean" },
			{ "buffer.new({})", "string expected, got table" },
			{ "b:add(b)", "cannot be added to itself" },
			{ "b:add('x', b)", "cannot be added to itself" },
			{ "b:move(b)", "cannot be moved to itself" },
			{ "b:move('x')", "tidegate.buffer expected, got string" },
			{ "b:move()", "tidegate.buffer expected, got no value" },
			{ "b:find('')", "an empty text is everywhere" },
			{ "b:find('a', 0)", "positions count from 1" },
			{ "b:find('a', -1)", "positions count from 1" },
			{ "b:find()", "string expected, got no value" },
			{ "b.take('x')", "tidegate.buffer expected, got string" },
			{ "b.take(request)", "tidegate.buffer expected, got" },
			{ "b:nothing()", "attempt to call a nil value (method 'nothing')" },
			{ "b.x = 1", "attempt to index" },
		}
		for _, case in ipairs(wrong) do
			local code, message = table.unpack(case)
			it("for " .. code, function()
				local body = value_of(("local _, m = pcall(function()\n%s\nend) return m"):format(code))
				assert.equal("run:2: ", body:sub(1, 7))
				assert.is_truthy(body:find(message, 1, true), body)
			end)
		end
	end)

	it("leaves what it holds when an add is refused", function()
		assert.equal("16", value_of("pcall(b.take, b, -1) pcall(b.add, b, {}) return tostring(#b)"))
	end)

	it("holds a hundred thousand lines", function()
		local code = "local o = buffer.new() for i = 1, 10^5 do o:add(i, '\\n') end "
			.. "local sum = 0 for l in o:lines() do sum = sum + tonumber(l) end return tostring(sum)"
		assert.equal("5000050000", value_of(code))
	end)

	it("is searched fast however it was filled", function()
		local code = "local o = buffer.new() for _ = 1, 10000 do o:add(('x'):rep(100)) end o:add('needle') return tostring(o:find('needle'))"
		assert.equal("1000001", value_of(code))
	end)

	it("outlives the request whose content it is", function()
		assert.equal(204, gateway:fetch("POST", "/kept", nil, ("tide"):rep(20000)).status)
		assert.equal(("tide"):rep(20000), gateway:get("/kept").body)
		assert.equal(("tide"):rep(20000), gateway:get("/kept").body)
	end)

	it("hides its metatable", function()
		assert.equal("false", value_of("return tostring(getmetatable(b))"))
	end)
end)
