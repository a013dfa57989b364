-- tidegate.http, what it asks and what it gives, against a second gateway.

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")
local server = require("tests.support.server")

local files = {
	["handlers/mirror.lua"] = [[
local function mirror(request)
	local h = request.headers
	return table.concat({ request.method, request.target, h["content-type"] or "-", h["content-length"] or h["transfer-encoding"] or "-", request:text() }, "|")
end
return { GET = mirror, POST = mirror, PUT = mirror, PATCH = mirror, DELETE = mirror, PURGE = mirror }]],
	["handlers/field.lua"] = [[
return function(request) return table.concat(request.headers:all(request.query.name), "|") end]],
	["handlers/form.lua"] = [[
return { POST = function(request)
	local out = {}
	for name, value in pairs(request:form()) do out[#out + 1] = name .. "=" .. value end
	table.sort(out)
	return table.concat(out, "|")
end }]],
	["handlers/parts.lua"] = [[
return { POST = function(request)
	local out = {}
	for part in request:multipart() do
		out[#out + 1] = ("%s,%s,%s,%s"):format(part.name, part.filename or "-", part.type, part:text())
	end
	return table.concat(out, "|")
end }]],
	["handlers/big.lua"] = [[
return function(request, response)
	response.headers["content-encoding"] = "identity"
	for i = 1, tonumber(request.query.pieces or 100) do response:write(("%06d"):format(i):rep(10000)) end
end]],
	["handlers/fields.lua"] = [[
return function(request, response)
	response.headers["set-cookie"] = { "a=1", "b=2" }
	response.headers["x-one"] = "1"
	return 201, { made = true }
end]],
	["handlers/length.lua"] = [[
return { POST = function(request) local n = 0 for chunk in request:chunks() do n = n + #chunk end return tostring(n) end, limits = { body = 2^26 } }]],
}

describe("tidegate.http", function()
	local asker, other

	lazy_setup(function()
		other = server.start({ files = files })
		asker = askers.start("http://127.0.0.1:" .. other.port)
	end)

	lazy_teardown(function()
		asker:stop()
		other:stop()
	end)

	local function check(expected, code)
		assert.equal(expected, asker:run(code))
	end

	it("gives status, version, url, headers and content", function()
		check("201|1.1|true|application/json|a=1|2|b=2|{\"made\":true}",
			[[local r = http.get(origin .. '/fields')
			return r.status, r.version, r.url == origin .. '/fields', r.headers['Content-Type'], r.headers['set-cookie'],
				#r.headers:all('set-cookie'), r.headers:all('Set-Cookie')[2], r:text()]])
	end)

	it("asks with each method", function()
		for _, method in ipairs({ "post", "put", "patch" }) do
			check(method:upper() .. "|/mirror|-|0|", ("return http.%s(origin .. '/mirror'):text()"):format(method))
		end
		for _, method in ipairs({ "get", "delete" }) do
			check(method:upper() .. "|/mirror|-|-|", ("return http.%s(origin .. '/mirror'):text()"):format(method))
		end
		check("200||27", "local r = http.head(origin .. '/mirror?x=1234567') return r.status, r:text(), r.headers['content-length']")
		check("PURGE|/mirror|-|-|", "return http.request{ method = 'PURGE', url = origin .. '/mirror' }:text()")
		check("GET|/mirror|-|-|", "return http.request{ url = origin .. '/mirror' }:text()")
	end)

	it("adds the query, encoded", function()
		check("GET|/mirror?a=1&b=x%20%26&c=true&c=2|-|-|", "return http.get(origin .. '/mirror', { query = { b = 'x &', a = 1, c = { true, 2 } } }):text()")
		check("GET|/mirror?z=0&a=1|-|-|", "return http.get(origin .. '/mirror?z=0#part', { query = { a = 1 } }):text()")
		check("GET|/mirror|-|-|", "return http.get(origin .. '/mirror', { query = {} }):text()")
	end)

	it("sends strings, tables, buffers and forms", function()
		check("POST|/mirror|-|5|hello", "return http.post(origin .. '/mirror', { body = 'hello' }):text()")
		check("POST|/mirror|-|0|", "return http.post(origin .. '/mirror', { body = '' }):text()")
		check('POST|/mirror|application/json|7|{"a":1}', "return http.post(origin .. '/mirror', { body = { a = 1 } }):text()")
		check('PUT|/mirror|application/json|4|null', "return http.put(origin .. '/mirror', { json = require('tidegate.json').null }):text()")
		check("POST|/mirror|text/x|5|hello|0", [[
			local b = buffer.new('hel', 'lo')
			return http.post(origin .. '/mirror', { body = b, headers = { ['content-type'] = 'text/x' } }):text(), #b]])
		check("a=1|b=x &=+ä", "return http.post(origin .. '/form', { form = { a = 1, b = 'x &=+ä' } }):text()")
	end)

	it("sends the parts of a form with files", function()
		check('a,-,text/plain,1|f,x ".txt,text/x,\0\r\n--|g,y,application/octet-stream,z', [[
			return http.post(origin .. '/parts', { multipart = { { name = 'a', content = '1' },
				f = { content = '\0\r\n--', filename = 'x ".txt', type = 'text/x' }, g = { content = 'z', filename = 'y' } } }):text()]])
	end)

	it("sends what a function gives, piece by piece", function()
		check("POST|/mirror|-|chunked|onetwo", [[
			local pieces = { 'one', '', 'two' }
			return http.post(origin .. '/mirror', { body = function() timer.sleep(0.001) return table.remove(pieces, 1) end }):text()]])
		check("32000000", [[
			local n, piece = 0, ('x'):rep(100000)
			return http.post(origin .. '/length', { body = function() n = n + 1 return n <= 320 and piece or nil end }):text()]])
		check("8388608", "return http.post(origin .. '/length', { body = ('x'):rep(2^13):rep(2^10) }):text()")
	end)

	it("closes the connection when a body function raises", function()
		local origin = origins.listen()
		local client = asker:begin(("return pcall(http.post, '%s', { body = function() error('e', 0) end })"):format(origin.url))
		local visit = origin:accept()
		assert.equal("POST / HTTP/1.1", visit.stream:receive("*l"))
		assert.equal("false|e", asker:finish(client))
		visit.stream:receive("*a")
		assert.is_true(visit:is_closed())
		visit:close()
		origin:close()
	end)

	it("gives content in pieces, in order and in constant memory", function()
		check("60000000|true|nil|0", [[
			local n, most, last = 0, 0
			local r = http.get(origin .. '/big?pieces=1000')
			local before = collectgarbage('count')
			for chunk in r:chunks() do n, most, last = n + #chunk, math.max(most, #chunk), chunk end
			return n, most <= 65536 and last:sub(-6) == '001000', r:chunk(), #r.trailers]])
	end)

	it("gives content as a buffer", function()
		check("6000000|000001", "local b = http.get(origin .. '/big'):buffer() return #b, b:peek(6)")
	end)

	it("gives the text again, but no content twice", function()
		check("GET|/mirror|-|-||GET|/mirror|-|-||27", "local r = http.get(origin .. '/mirror') return r:text(), r:text(), #r:buffer() + 11")
		assert.matches("the content was taken by", asker:raises("local r = http.get(origin .. '/mirror') r:buffer() r:text()"))
		assert.matches("the content was taken by", asker:raises("local r = http.get(origin .. '/mirror') r:chunks() r:json()"))
	end)

	it("tells who asks, unless the handler does", function()
		check("*/*|none", [[
			local url = origin .. '/field?name=accept'
			return http.get(url):text(), http.get(url, { headers = { Accept = 'none' } }):text()]])
		check("", "return http.get(origin .. '/field?name=accept', { headers = { accept = false } }):text()")
		assert.matches("^tidegate/%d", asker:run("return http.get(origin .. '/field?name=user-agent'):text()"))
		assert.equal("x.test|" .. "127.0.0.1:" .. other.port,
			asker:run("return http.get(origin .. '/field?name=host', { headers = { Host = 'x.test' } }):text(), http.get(origin .. '/field?name=host'):text()"))
		check("a|b", "return http.get(origin .. '/field?name=x-many', { headers = { ['x-many'] = { 'a', 'b' } } }):text()")
	end)

	it("signs in", function()
		check("Basic QWRhOm9wZW4gc2VzYW1l", "return http.get(origin .. '/field?name=authorization', { auth = { 'Ada', 'open sesame' } }):text()")
		check("Basic YTo=", "return http.get(origin .. '/field?name=authorization', { auth = { 'a', '' } }):text()")
		check("Bearer t", "return http.get(origin .. '/field?name=authorization', { bearer = 't' }):text()")
	end)

	it("remembers what a client is told", function()
		check("c|1|1|GET|/mirror|-|-||Bearer t", [[
			local api = http.client{ base_url = origin .. '/', headers = { ['x-a'] = 'c', ['x-b'] = '2' }, bearer = 't' }
			local function field(name, headers) return api:get('field', { query = { name = name }, headers = headers }):text() end
			return field('x-a'), field('x-b', { ['X-B'] = 1 }), field('x-b', { ['x-B'] = '1' }), api:get('/mirror'):text(), field('authorization')]])
		check("POST|/mirror|-|1|x", "return http.client{ base_url = origin }:request{ method = 'POST', url = 'mirror', body = 'x' }:text()")
		check("GET|/mirror|-|-|", "return http.client{ base_url = 'http://127.0.0.1:1' }:get(origin .. '/mirror'):text()")
	end)

	it("asks many at once", function()
		check("201|nil|refused|true", [[
			local post = { url = origin .. '/mirror', method = 'POST', body = 'x' }
			local responses, errors = http.all({ a = origin .. '/fields', b = { url = 'http://127.0.0.1:1/' }, post }, { concurrency = 2 })
			return responses.a.status, responses.b, errors.b.code, responses[1]:text() == 'POST|/mirror|-|1|x']])
		check("30", [[
			local api, list = http.client{ base_url = origin }, {}
			for i = 1, 30 do list[i] = { url = '/mirror', query = { i = i } } end
			local responses, n = api:all(list, { concurrency = 4 }), 0
			for i = 1, 30 do n = n + (responses[i]:text():find('i=' .. i .. '|', 1, true) and 1 or 0) end
			return n]])
	end)

	it("gives the codes of what cannot be reached", function()
		check("nil|refused", "local r, message, code = http.get('http://127.0.0.1:1/') return r, code")
		check("nil|ENOENT", "local r, message, code = http.get('http://x/', { unix = '/nowhere/socket' }) return r, code")
	end)

	it("asks by a unix socket", function()
		local path = os.tmpname()
		os.remove(path)
		local origin = origins.listen(path)
		local client = asker:begin(("return http.get('http://inside.test:81/x', { unix = '%s' }):text()"):format(path))
		local visit = origin:accept()
		local request = visit:request()
		assert.equal("GET /x HTTP/1.1", request.line)
		assert.equal("inside.test:81", request.headers.host)
		visit:answer("fine")
		assert.equal("fine", (asker:finish(client)))
		visit:close()
		origin:close()
		os.remove(path)
	end)

	it("gives trailers behind the content", function()
		local origin = origins.listen()
		local client = asker:begin(("local r = http.get('%s') local before = r.trailers "):format(origin.url)
			.. "return before, r:text(), r.trailers['X-Sum'], #r.trailers")
		local visit = origin:accept()
		visit:request()
		visit:send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\nx-b: c\r\n\r\n")
		assert.equal("nil|hi|7|2", (asker:finish(client)))
		visit:close()
		origin:close()
	end)

	describe("raises", function()
		for what, case in pairs({
			["a URL with credentials"] = { "http.get('http://u:p@x/')", "does not carry user and password" },
			["a URL with CR"] = { "http.get('http://x/\\r\\ny')", "must be percent%-encoded" },
			["a URL with a space"] = { "http.get('http://x/ y')", "must be percent%-encoded" },
			["a URL with NUL"] = { "http.get('http://x/\\0')", "must be percent%-encoded" },
			["a relative URL"] = { "http.get('/x')", "no absolute URL" },
			["another scheme"] = { "http.get('ftp://x/')", "neither http nor https" },
			["a host that is none"] = { "http.get('http://a b/')", "must be percent" },
			["a port that is none"] = { "http.get('http://x:99999/')", "no host" },
			["no URL"] = { "http.get()", "needs a url" },
			["a header with CR"] = { "http.get('http://x/', { headers = { a = 'b\\r\\nc: d' } })", "control byte" },
			["a header with NUL"] = { "http.get('http://x/', { headers = { a = 'b\\0' } })", "control byte" },
			["a header name that is none"] = { "http.get('http://x/', { headers = { ['a b'] = 'c' } })", "no header name" },
			["content-length of its own"] = { "http.post('http://x/', { body = 'x', headers = { ['Content-Length'] = 5 } })", "made by the client itself" },
			["transfer-encoding of its own"] = { "http.post('http://x/', { headers = { ['transfer-encoding'] = 'chunked' } })", "made by the client itself" },
			["a bearer with LF"] = { "http.get('http://x/', { bearer = 'a\\nb' })", "control byte" },
			["a method that is none"] = { "http.request{ url = 'http://x/', method = 'GET /' }", "no method" },
			["an unknown option"] = { "http.get('http://x/', { timeuot = 1 })", "did you mean 'timeout'" },
			["an unknown option of a client"] = { "http.client{ body = 'x' }", "unknown option 'body' of http.client" },
			["a wrong option"] = { "http.get('http://x/', { timeout = 'soon' })", "the option 'timeout' is seconds" },
			["two contents"] = { "http.post('http://x/', { body = 'x', json = 1 })", "one content" },
			["a body that is none"] = { "http.post('http://x/', { body = 5 })", "body is a string" },
			["an unknown option of tls"] = { "http.get('https://x/', { tls = { verfy = false } })", "unknown option 'verfy' of tls" },
		}) do
			it(what .. ", at the caller's line", function()
				local message = asker:raises(case[1])
				assert.matches(case[2], message)
				assert.matches("^run:1: ", message)
			end)
		end
	end)

	it("cannot ask while files load", function()
		local gateway = server.start({ files = { ["handlers/x.lua"] = "return function() end" } })
		gateway.project:write("handlers/x.lua", "require('tidegate.http').get('http://127.0.0.1:1/') return function() end")
		local _, errors, code = gateway:reload()
		assert.equal(1, code)
		assert.matches("while handlers are loading", errors)
		gateway:stop()
	end)
end)
