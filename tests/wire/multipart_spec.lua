local around = require("tests.support.around")
local program = require("tests.support.program")
local server = require("tests.support.server")

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
	["handlers/save.lua"] = [[
		local log = require("tidegate.log")
		return { limits = { body = math.huge }, POST = function(request)
			local out = {}
			for part in request:multipart() do
				log.info("saving")
				local size, message, code = part:save(request.query.at .. "/" .. part.name)
				out[#out + 1] = size and part.name .. "=" .. size or message
			end
			return table.concat(out, "\n")
		end }]],
	["handlers/count.lua"] = [[
		return { limits = { body = math.huge }, POST = function(request)
			local size = 0
			for part in request:multipart() do
				for piece in part:chunks() do size = size + #piece end
			end
			return tostring(size)
		end }]],
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
		for part in request:multipart() do part:text() part:text() end
	end,
	function(request) request:multipart({ part = 5 }) end,
	function(request) request:multipart({ parts = "many" }) end,
	function(request) request:multipart(5) end,
	function(request) request:text() request:multipart() end,
	function(request) request:multipart() request:text() end,
	function(request)
		for part in request:multipart() do part.save("x") end
	end,
	function(request)
		for part in request:multipart() do part:save() end
	end,
}
return function(request)
	local ok, message = pcall(misuses[tonumber(request.query.n)], request)
	return 200, tostring(message)
end]],
	["handlers/keep.lua"] = [[
local kept
return {
	POST = function(request)
		for part in request:multipart() do kept = part end
		return "kept"
	end,
	PUT = function() return select(2, pcall(kept.text, kept)) end,
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
		{ 'form-data; name="a"; name="b"', '"a","-"' },
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
		{ "a part without a name", 400, type, form({ { "Content-Disposition: form-data", "1" } }) },
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
			assert.equal(case[2], connection:fetch("POST", "/show", { case[3] }, case[4]).status)
		end)
	end

	it("drops what nobody reads", function()
		local content = form({ named("a", ("x"):rep(100000)), named("b", "y"), named("c", ("z"):rep(100000)) })
		assert.equal("a,b,c", connection:fetch("POST", "/skip", { type }, content).body)
		assert.matches("^a%d+,b1,c%d+$", connection:fetch("POST", "/half", { type }, content).body)
	end)

	local misuses = {
		"misuse.lua:5: this part is over: another was asked for",
		"misuse.lua:10: this part is read already",
		"misuse.lua:12: multipart() has no option 'part'",
		"misuse.lua:13: option 'parts' of multipart() is a number from 0",
		"misuse.lua:14: multipart() takes a table of options, not a number",
		"misuse.lua:15: the content was read by text(), json() or form()",
		"misuse.lua:16: the content was taken by buffer() or chunks()",
		"misuse.lua:18: a part was expected",
		"misuse.lua:21: save() takes the path of a file",
	}
	for i, message in ipairs(misuses) do
		it("raises at the caller's line: " .. message, function()
			local body = connection:fetch("POST", "/misuse?n=" .. i, { type }, form({ named("a", "1"), named("b", "2") })).body
			assert.matches(message, body, 1, true)
		end)
	end

	it("gives parts that may be kept too long", function()
		assert.equal("kept", connection:fetch("POST", "/keep", { type }, form({ named("a", "1") })).body)
		assert.matches("this part is over", connection:fetch("PUT", "/keep").body, 1, true)
	end)
end)

describe("part:save()", function()
	local gateway, connection, folder
	around({ files = files }, function(g, c)
		gateway, connection = g, c
		folder = gateway.project.path .. "/saved"
		os.execute("rm -rf " .. folder .. " && mkdir " .. folder)
	end)

	local function listing()
		local pipe = io.popen("ls -A " .. folder)
		local text = pipe:read("a")
		pipe:close()
		return text
	end

	it("keeps what curl uploads, byte for byte", function()
		os.execute(("head -c 3000000 /dev/urandom > %s.upload"):format(folder))
		local pipe = io.popen(("curl -sS -F x=1 -F 'file=@%s.upload;filename=a b.bin' 'http://127.0.0.1:%d/save?at=%s'"):format(
			folder, gateway.port, folder))
		assert.equal("x=1\nfile=3000000", pipe:read("a"))
		pipe:close()
		assert.is_true(os.execute(("cmp %s.upload %s/file"):format(folder, folder)))
		assert.equal("file\nx\n", listing())
	end)

	it("leaves nothing when the client leaves", function()
		local before = #gateway:log()
		connection:send("POST /save?at=", folder, " HTTP/1.1\r\nHost: a\r\n", type, "\r\nContent-Length: 100000\r\n\r\n",
			"--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf of it")
		gateway:wait_log("saving", before)
		program.await(function() return "a file" end, function() return listing():find("part") end)
		connection:close()
		program.await(function() return "no file; there is " .. listing() end, function() return listing() == "" end)
		connection = gateway:connect()
	end)

	it("says why it cannot", function()
		local body = connection:fetch("POST", "/save?at=/nowhere", { type }, form({ named("a", "1") })).body
		assert.matches("/nowhere/a.*No such file or directory", body)
	end)

	it("does not overwrite a folder, and leaves nothing beside it", function()
		os.execute("mkdir -p " .. folder .. "/a/b")
		local body = connection:fetch("POST", "/save?at=" .. folder, { type }, form({ named("a", "1") })).body
		assert.matches("Is a directory", body)
		assert.equal("a\n", listing())
	end)
end)

describe("a large upload", function()
	it("takes constant memory", function()
		local gateway = server.start({ files = files })
		local connection = gateway:connect()
		local piece, count = ("tide\r\n--xy"):rep(6554), 1024 -- 64 MiB
		local head = "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n"
		local size = #head + count * #piece + #"\r\n--xyz--"
		connection:send("POST /count HTTP/1.1\r\nHost: a\r\n", type, "\r\nContent-Length: ", tostring(size), "\r\n\r\n", head)
		local most, before = 0, nil
		for i = 1, count do
			connection:send(piece)
			if i % 64 == 0 then
				before = before or gateway:resident()
				most = math.max(most, gateway:resident())
			end
		end
		connection:send("\r\n--xyz--")
		assert.equal(tostring(count * #piece), connection:response().body)
		assert.is_true(not program.measures_memory or most < before + 8 * 2 ^ 20, ("%.1f MiB"):format((most - before) / 2 ^ 20))
		connection:close()
		gateway:stop()
	end)
end)
