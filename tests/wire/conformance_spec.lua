-- What RFC 9110 and 9112 ask of a server, one row for each sentence: raw bytes
-- in, and what comes out. docs/conformance.md lists the rows; with
-- TIDEGATE_UPDATE set this spec writes it.

local around = require("tests.support.around")
local program = require("tests.support.program")

local chapters = {
	{ "The request line", "request_line" },
	{ "Fields", "fields" },
	{ "Content", "content" },
	{ "Connections, expectations and methods", "connection" },
	{ "Conditions", "conditions" },
	{ "Ranges", "ranges" },
}

local files = {
	["handlers/{path...}.lua"] = [[
return function(request)
	local shown = request.headers["x-show"] or table.concat(request.headers:all("x-all"), ",")
	return ("%s %s %s"):format(request.method, request.path, shown ~= "" and shown or request:text())
end]],
	["handlers/host.lua"] = "return function(request) return request.host end",
	["handlers/lazy.lua"] = "return function() return 'lazy' end",
	["handlers/slow.lua"] = "return function() require('tidegate.timer').sleep(0.02) return 'slow' end",
	["handlers/large.lua"] = "return function() return ('x'):rep(3000000) end",
	["handlers/stream.lua"] = "return function(_, response) response:write('a'):flush() response:write('bc') end",
	["handlers/only.lua"] = "return { GET = function() return 'only' end }",
	["handlers/trailer.lua"] = "return function(request) request:text() return request:trailers()['x-sum'] end",
	["handlers/204.lua"] = "return function() return 204, 'content' end",
	["handlers/304.lua"] = "return function() return 304, 'content' end",
	["handlers/file.lua"] = [[
return function(_, response)
	response.headers.etag = '"tide"'
	response.headers["last-modified"] = "Sun, 06 Nov 1994 08:49:37 GMT"
	return response:file("digits")
end]],
	["handlers/weak.lua"] = [[
return function(_, response)
	response.headers.etag = 'W/"tide"'
	return response:file("digits")
end]],
	["handlers/absent.lua"] = [[
return function(_, response)
	response.status = 404
	return response:file("digits")
end]],
	["digits"] = "0123456789",
	["handlers/421.lua"] = "return function() return 421 end",
}

local function rows_of(chapter)
	return dofile(("tests/wire/conformance/%s.lua"):format(chapter[2]))
end

local function page()
	local lines = {
		"# Conformance",
		"",
		"What RFC 9110 and RFC 9112 ask of a server that is an origin, as Tidegate keeps it. Each line is a row of",
		"`tests/wire/conformance/`, which sends the bytes to the running program and looks at what comes back. Sections",
		"are those of RFC 9112 unless 9110 is named. A number alone is the status of a refusal, after which the",
		"connection is closed.",
		"",
		"Where the RFCs leave a choice: bare LF, folded values and repeated lengths are refused, even equal ones; an empty",
		"Host field is taken; CONNECT and codings other than chunked are not implemented; a method that no route names is",
		"501, a usual one that a route lacks is 405; content is never looked at as a request, whatever the method.",
		"",
		"Not there: HTTP/2 and 3, Upgrade, TRACE's echo (a route may answer it), trailer fields of responses.",
	}
	for _, chapter in ipairs(chapters) do
		table.move({ "", "## " .. chapter[1], "", "| section | sentence | outcome |", "|---|---|---|" }, 1, 5, #lines + 1, lines)
		for _, row in ipairs(rows_of(chapter)) do
			local outcome = type(row[4]) == "number" and tostring(row[4]) or (#row[4] == 0 and "closed" or "served")
			outcome = outcome .. (row.open and ", stays open" or "")
			lines[#lines + 1] = ("| %s | %s | %s |"):format(row[1], row[2], outcome)
		end
	end
	return table.concat(lines, "\n") .. "\n"
end

describe("RFC 9112", function()
	local connection
	around({ files = files }, function(_, c)
		connection = c
	end)

	local function is_open()
		local response = connection:fetch("GET", "/host")
		assert.same({ 200, "test" }, { response.status, response.body })
	end

	-- One complete response and the end; nothing behind it was taken for a request.
	local function refused(status)
		local response = connection:response()
		assert.equal(status, response.status)
		assert.equal("close", response.headers.connection)
		assert.is_truthy(response.headers["content-length"])
		assert.is_true(connection:is_closed())
	end

	local function answered(row)
		local response = connection:response(row.method)
		assert.equal(row[4], response.status)
		assert.equal(row.allow, response.headers.allow)
		assert.equal(row.range, response.headers["content-range"])
		assert.equal(row.body or response.body, response.body)
		if row.bare then
			assert.is_nil(response.headers["content-length"])
			assert.is_nil(response.headers["transfer-encoding"])
		end
		is_open()
	end

	local function served(row)
		if row.continue then
			assert.equal(100, connection:response().status)
			connection:send(row.continue)
		end
		for _, body in ipairs(row[4]) do
			local response = connection:response(row.method)
			assert.same({ 200, body }, { response.status, response.body })
			assert.is_truthy(response.headers.date)
			if row.length then
				assert.equal(row.length, response.headers["content-length"])
			end
		end
		if row.closes then
			assert.is_true(connection:is_closed())
		else
			is_open()
		end
	end

	for _, chapter in ipairs(chapters) do
		for _, row in ipairs(rows_of(chapter)) do
			it(("%s: %s"):format(row[1], row[2]), function()
				connection.stream:send(row[3])
				if row.finish then
					connection:finish()
				end
				if type(row[4]) == "table" then
					served(row)
				elseif row.open then
					answered(row)
				else
					refused(row[4])
				end
			end)
		end
	end

	it("has each of its rows in docs/conformance.md", function()
		if os.getenv("TIDEGATE_UPDATE") then
			local file = assert(io.open("docs/conformance.md", "w"))
			file:write(page())
			file:close()
		end
		local file = assert(io.open("docs/conformance.md"))
		local text = file:read("a")
		file:close()
		assert.equal(page(), text)
	end)
end)

describe("a pipeline", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	it("of a thousand requests is answered in order, in constant memory", function()
		local target, settled = "/n%d?" .. ("x"):rep(200), nil
		for round = 1, 40 do
			local asked = {}
			for i = 1, 1000 do
				asked[i] = ("GET %s HTTP/1.1\r\nHost: a\r\n\r\n"):format(target:format(i))
			end
			connection:send(table.concat(asked))
			for i = 1, 1000 do
				assert.equal(("GET /n%d "):format(i), connection:response().body)
			end
			settled = round == 20 and gateway:resident() or settled
		end
		local grown = gateway:resident() - settled
		assert.is_true(not program.measures_memory or grown < 2 ^ 20, ("%.1f MiB more"):format(grown / 2 ^ 20))
	end)
end)
