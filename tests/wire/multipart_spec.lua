local around = require("tests.support.around")

local type = "Content-Type: multipart/form-data; boundary=xyz"

local show = [[
return { limits = { body = math.huge }, POST = function(request)
	local list = {}
	for part in request:multipart({ parts = 5, size = 100 }) do
		list[#list + 1] = { part.name, part.filename or "-", part.type, part:text() }
	end
	return list
end }]]

local files = {
	["handlers/show.lua"] = show,
	["handlers/skip.lua"] = [[
		return function(request)
			local names = {}
			for part in request:multipart() do names[#names + 1] = part.name end
			return table.concat(names, ",")
		end]],
	["handlers/half.lua"] = [[
		return function(request)
			local out = {}
			for part in request:multipart() do
				for piece in part:chunks() do out[#out + 1] = part.name .. #piece break end
			end
			return table.concat(out, ",")
		end]],
	["handlers/each.lua"] = [[
		return function(request, response)
			for part in request:multipart() do
				response:write(part.name .. ": ")
				response:write(part:text() .. "\n")
			end
			response:write("end")
		end]],
	["handlers/again.lua"] = [[
		return function(request)
			local text, names = request:text(), {}
			for part in request:multipart() do names[#names + 1] = part.name end
			return table.concat(names, ",") .. " " .. #text
		end]],
	["handlers/stubborn.lua"] = [[
		return function(request)
			local list = {}
			local next_part, parts = request:multipart({ size = 100 })
			pcall(next_part, parts)
			for i = 1, 3 do
				local _, message = pcall(next_part, parts)
				list[i] = message.status
			end
			return table.concat(list, " ")
		end]],
	["handlers/finalize.lua"] = [[
		return function(request)
			local next_part, parts = request:multipart({ parts = math.huge })
			local inside, count = false, 0
			local garbage = { __gc = function()
				if inside and pcall(next_part, parts) then count = count + 1 end
			end }
			repeat
				for _ = 1, 50 do setmetatable({}, garbage) end
				inside = true
				local part = next_part(parts)
				inside = false
			until not part
			return "read " .. count
		end]],
	["handlers/misuse.lua"] = [[
local kept
local misuses = {
	function(request)
		for part in request:multipart() do
			if kept then kept:text() end
			kept = part
		end
	end,
	function(request)
		for part in request:multipart() do part:chunks() part:text() end
	end,
	function(request) request:multipart({ part = 5 }) end,
	function(request) request:multipart({ parts = "many" }) end,
	function(request) request:multipart(5) end,
	function(request) request:multipart({ size = -1 }) end,
	function(request) request:multipart() request:text() end,
	function(request)
		for part in request:multipart() do part.save("x") end
	end,
	function(request)
		for part in request:multipart() do part:save(nil) end
	end,
	function(request) for part in request:multipart() do return part.nam end end,
	function(request)
		for part in request:multipart() do return part:save("a\0b") end
	end,
	function(request) for part in request:multipart() do part.name = "b" end end,
	function(request)
		for part in request:multipart() do
			part:chunks() part:chunks()
		end
	end,
	function(request) local next_part, parts = request:multipart() local piece, part = next_part(parts):chunks() next_part(parts) piece(part) end,
}
return function(request)
	local ok, message = pcall(misuses[tonumber(request.query.n)], request)
	return 200, tostring(message)
end]],
	["handlers/keep.lua"] = [[
local kept, again
return {
	POST = function(request)
		local next_part, parts = request:multipart()
		kept = next_part(parts)
		again = function() return next_part(parts) end
		return "kept"
	end,
	PUT = function() return select(2, pcall(kept.text, kept)) .. " " .. kept.name end,
	PATCH = function() return select(2, pcall(again)) .. " " .. kept.name end,
}]],
}

local function form(parts)
	local lines = {}
	for _, part in ipairs(parts) do
		lines[#lines + 1] = ("--xyz\r\n%s\r\n\r\n%s\r\n"):format(part[1], part[2])
	end
	return table.concat(lines) .. "--xyz--\r\n"
end

local function named(name, text)
	return { ('Content-Disposition: form-data; name="%s"'):format(name), text }
end

describe("request:multipart()", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	local two = form({
		named("a", "1"),
		{ 'Content-Disposition: form-data; name="f"; filename="b.txt"\r\nContent-Type: text/css', "line\r\n--xy\r\n" },
	})
	local both = '[["a","-","text/plain","1"],["f","b.txt","text/css","line\\r\\n--xy\\r\\n"]]'

	it("gives the parts, one after the other", function()
		assert.equal(both, connection:fetch("POST", "/show", { type }, two).body)
	end)

	it("gives them however the content comes in pieces", function()
		for step = 1, 9, 4 do
			connection:send("POST /show HTTP/1.1\r\nHost: a\r\n", type, "\r\nTransfer-Encoding: chunked\r\n\r\n")
			for at = 1, #two, step do
				local piece = two:sub(at, at + step - 1)
				connection:send(("%x\r\n%s\r\n"):format(#piece, piece))
			end
			connection:send("0\r\n\r\n")
			assert.equal(both, connection:response().body)
		end
	end)

	local dispositions = {
		{ 'form-data; name="a"', '"a","-"' },
		{ "form-data; name=a", '"a","-"' },
		{ 'FORM-DATA; NAME="a"', '"a","-"' },
		{ 'form-data;name="a";filename=""', '"a",""' },
		{ 'form-data; name="a%22b%0D%0A%41"', '"a\\"b\\r\\n%41","-"' },
		{ 'form-data; name="a\\"b"', '"a\\"b","-"' },
		{ 'form-data; name="a"; filename="C:\\dir\\x.txt"', '"a","C:\\\\dir\\\\x.txt"' },
		{ 'form-data; name="ä"; filename="../../etc/passwd"', '"ä","../../etc/passwd"' },
		{ "form-data ; name=a ; ", '"a","-"' },
		{ "form-data; name=\"a\"; filename*=utf-8''x", '"a","-"' },
		{ 'form-data; name="a;b"; x=y', '"a;b","-"' },
		{ 'form-data; name=""', '"","-"' },
	}
	for _, case in ipairs(dispositions) do
		it("reads " .. case[1], function()
			local body = connection:fetch("POST", "/show", { type }, form({ { "Content-Disposition: " .. case[1], "x" } })).body
			assert.equal(("[[%s,\"text/plain\",\"x\"]]"):format(case[2]), body)
		end)
	end

	local good = {
		{ "no part at all", "--xyz--\r\n", "{}" },
		{ "a preamble and an epilogue", "before\r\n" .. form({ named("a", "1") }) .. "behind", '[["a","-","text/plain","1"]]' },
		{ "white space behind a boundary", "--xyz \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xyz--",
			'[["a","-","text/plain","1"]]' },
		{ "an empty part", form({ named("a", "") }), '[["a","-","text/plain",""]]' },
		{ "an empty part without a line of its own", "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n--xyz--",
			'[["a","-","text/plain",""]]' },
		{ "a line end behind the last boundary, or none", "--xyz-- \r\n--xyz", "{}" },
		{ "fields of the same name: the first counts", "--xyz\r\nContent-Disposition: form-data; name=a\r\nX: 1\r\nX: 2\r\n\r\n\r\n--xyz--",
			'[["a","-","text/plain",""]]' },
		{ "a line end in front of the first boundary", "\r\n" .. form({ named("a", "1") }), '[["a","-","text/plain","1"]]' },
		{ "what is nearly a boundary", form({ named("a", "\r\n--xy\r\n--\r\r\n-\r\n--XYZ--\r\nxyz--\r\n -xyz") }),
			'[["a","-","text/plain","\\r\\n--xy\\r\\n--\\r\\r\\n-\\r\\n--XYZ--\\r\\nxyz--\\r\\n -xyz"]]' },
		{ "binary content", form({ named("a", "\0\r\n\r\n--\r") }), '[["a","-","text/plain","\\u0000\\r\\n\\r\\n--\\r"]]' },
	}
	for _, case in ipairs(good) do
		it("takes " .. case[1], function()
			assert.equal(case[3], connection:fetch("POST", "/show", { type }, case[2]).body)
		end)
	end

	local bad = {
		{ "another type", 415, "Content-Type: application/json", two },
		{ "no type", 415, "X: y", two },
		{ "no boundary", 400, "Content-Type: multipart/form-data", two },
		{ "an empty boundary", 400, 'Content-Type: multipart/form-data; boundary=""', two },
		{ "a boundary of other bytes", 400, 'Content-Type: multipart/form-data; boundary="x\\"y"', two },
		{ "a boundary that is too long", 400, "Content-Type: multipart/form-data; boundary=" .. ("x"):rep(71), two },
		{ "another boundary", 400, "Content-Type: multipart/form-data; boundary=abc", two },
		{ "no last boundary", 400, type, two:sub(1, -8) },
		{ "no content", 400, type, "" },
		{ "a boundary with more behind it", 400, type, "--xyzw\r\n\r\n" },
		{ "a boundary that ends with a bare LF", 400, type, "--xyz\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xyz--" },
		{ "a field that ends with a bare LF", 400, type, "--xyz\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n1\r\n--xyz--" },
		{ "a part without fields", 400, type, "--xyz\r\n\r\n1\r\n--xyz--" },
		{ "a part without a name", 400, type, form({ { "Content-Disposition: form-data", "1" } }), "a part has no name" },
		{ "a part with two names", 400, type, form({ { "Content-Disposition: form-data; name=a; name=b", "1" } }) },
		{ "a part with two filenames", 400, type, form({ { "Content-Disposition: form-data; name=a; filename=b; filename=c", "1" } }) },
		{ "a part with two dispositions", 400, type, form({ { ("Content-Disposition: form-data; name=a\r\n"):rep(2) .. "X: y", "1" } }) },
		{ "a part with two types", 400, type, form({ { "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: c/d", "" } }) },
		{ "a filename that ends with a backslash", 400, type, form({ { 'Content-Disposition: form-data; name=a; filename="b\\"', "1" } }) },
		{ "a folded field", 400, type, form({ { "Content-Disposition: form-data;\r\n name=a", "1" } }) },
		{ "a header section without an empty line", 400, type, "--xyz\r\nContent-Disposition: form-data; name=a\r\n--xyz--\r\n" },
		{ "more behind the last boundary", 400, type, two:sub(1, -3) .. "x\r\n" },
		{ "two types", 400, type .. "\r\n" .. type, two, "the request has more than one content%-type" },
		{ "two boundaries", 400, type .. "; boundary=xyz", two, "the content%-type has no valid boundary" },
		{ "half a last boundary", 400, type, two:sub(1, -4), "the content ends before its last boundary" },
		{ "a part that is no form-data", 400, type, form({ { 'Content-Disposition: attachment; name="a"', "1" } }) },
		{ "a name with an open quote", 400, type, form({ { 'Content-Disposition: form-data; name="a', "1" } }) },
		{ "a NUL in a field", 400, type, form({ { 'Content-Disposition: form-data; name="a\0"', "1" } }) },
		{ "too many fields", 400, type, form({ { ("X: y\r\n"):rep(32) .. "Content-Disposition: form-data; name=a", "1" } }) },
		{ "too large a head", 400, type, form({ { "X: " .. ("y"):rep(9000), "1" } }) },
		{ "a head without end", 400, type, "--xyz\r\nX: " .. ("y"):rep(20000) },
		{ "more parts than the handler takes", 413, type, form({
			named("a", ""), named("b", ""), named("c", ""), named("d", ""), named("e", ""), named("f", ""),
		}) },
		{ "a larger part than the handler takes", 413, type, form({ named("a", ("x"):rep(101)) }) },
	}
	for _, case in ipairs(bad) do
		it(("refuses %s with %d"):format(case[1], case[2]), function()
			local response = connection:fetch("POST", "/show", { case[3] }, case[4])
			assert.equal(case[2], response.status)
			assert.matches(case[5] or "", response.body)
		end)
	end

	it("gives them wherever the content is split", function()
		for at = 1, #two - 1 do
			connection:send("POST /show HTTP/1.1\r\nHost: a\r\n", type, "\r\nTransfer-Encoding: chunked\r\n\r\n")
			connection:send(("%x\r\n%s\r\n"):format(at, two:sub(1, at)))
			connection:send(("%x\r\n%s\r\n0\r\n\r\n"):format(#two - at, two:sub(at + 1)))
			assert.equal(both, connection:response().body)
		end
	end)

	it("gives each part as soon as it is there", function()
		connection:send("POST /each HTTP/1.1\r\nHost: a\r\n", type, "\r\nTransfer-Encoding: chunked\r\n\r\n")
		for i, piece in ipairs({ "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n", "1\r\n--xyz\r\n",
			"Content-Disposition: form-data; name=b\r\n\r\n", "\r\n--xyz--" }) do
			connection:send(("%x\r\n%s\r\n"):format(#piece, piece))
			if i == 1 then
				assert.equal(200, connection:head().status)
			end
			assert.equal(({ "a: ", "1\n", "b: ", "\n" })[i], connection:chunk())
		end
		connection:send("0\r\n\r\n")
		assert.equal("end", connection:chunk())
		assert.is_nil(connection:chunk())
	end)

	it("takes what text() has read", function()
		assert.equal("a,f " .. #two, connection:fetch("POST", "/again", { type }, two).body)
	end)

	it("stays refused when a handler goes on after a 413", function()
		local content = form({ named("a", ("x"):rep(1000)), named("b", "y") })
		assert.equal("413 413 413", connection:fetch("POST", "/stubborn", { type }, content).body)
		assert.equal("400 400 400", connection:fetch("POST", "/stubborn", { type }, "--xyz?").body)
	end)

	it("survives finalizers that read while it reads", function()
		local list = {}
		for i = 1, 4000 do list[i] = named("n" .. i, ("x"):rep(i % 500)) end
		assert.matches("^read [1-9]", connection:fetch("POST", "/finalize", { type }, form(list)).body)
	end)

	it("drops what nobody reads", function()
		local content = form({ named("a", ("x"):rep(100000)), named("b", "y"), named("c", ("z"):rep(100000)) })
		assert.equal("a,b,c", connection:fetch("POST", "/skip", { type }, content).body)
		assert.matches("^a%d+,b1,c%d+$", connection:fetch("POST", "/half", { type }, content).body)
	end)

	local misuses = {
		"misuse.lua:5: the next part was asked for: the content of this one is gone",
		"misuse.lua:10: the part's content was taken by chunks() or save()",
		"misuse.lua:12: unknown option 'part' of multipart(); did you mean 'parts'?",
		"misuse.lua:13: option 'parts' of multipart() must be a number from 0",
		"misuse.lua:14: bad argument #1 to 'multipart' (table expected, got number)",
		"misuse.lua:15: option 'size' of multipart() must be a number from 0",
		"misuse.lua:16: the content was taken by buffer(), chunks() or multipart()",
		"misuse.lua:18: bad argument #1 to 'save' (tidegate.part expected, got string)",
		"misuse.lua:21: bad argument #1 to 'save' (string expected, got nil)",
		"misuse.lua:23: a part has no field 'nam'",
		"misuse.lua:25: bad argument #1 to 'save' (not a path)",
		"misuse.lua:27: attempt to index a tidegate.part value (local 'part')",
		"misuse.lua:30: the part's content was taken by chunks() or save()",
		"misuse.lua:33: the next part was asked for: the content of this one is gone",
	}
	for i, message in ipairs(misuses) do
		it("raises at the caller's line: " .. message, function()
			local body = connection:fetch("POST", "/misuse?n=" .. i, { type }, form({ named("a", "1"), named("b", "2") })).body
			assert.matches(message, body, 1, true)
		end)
	end

	it("gives parts that may be kept too long", function()
		assert.equal("kept", connection:fetch("POST", "/keep", { type }, form({ named("a", "1") })).body)
		assert.equal("the exchange is over a", connection:fetch("PUT", "/keep").body)
		assert.equal("handlers/keep.lua:6: the exchange is over a", connection:fetch("PATCH", "/keep").body)
	end)
end)
