-- tidegate.http, where it goes after a redirect, and what it asks again.

local askers = require("tests.support.asker")
local origins = require("tests.support.origin")

describe("tidegate.http", function()
	local asker, origin, other

	before_each(function()
		origin, other = origins.listen(), origins.listen()
		asker = askers.start(origin.url)
	end)

	after_each(function()
		asker:stop()
		origin:close()
		other:close()
	end)

	-- Serves one request on a connection of its own; gives the request.
	local function serve(from, status, fields, body)
		local visit = from:accept()
		local request = visit:request()
		visit:answer(body or "", status, (fields or "") .. "connection: close\r\n")
		visit:close()
		return request
	end

	describe("follows", function()
		for _, case in ipairs({
			{ "get", "", 301, "GET", "" },
			{ "get", "", 308, "GET", "" },
			{ "head", "", 302, "HEAD", "" },
			{ "head", "", 303, "HEAD", "" },
			{ "post", "body = 'x', redirects = 1", 301, "GET", "" },
			{ "post", "body = 'x', redirects = 1", 302, "GET", "" },
			{ "post", "body = 'x', redirects = 1", 303, "GET", "" },
			{ "put", "body = 'x', redirects = 1", 303, "GET", "" },
			{ "put", "body = 'x', redirects = 1", 302, "PUT", "x" },
			{ "post", "body = 'x', redirects = 1", 307, "POST", "x" },
			{ "post", "json = { a = 1 }, redirects = 1", 308, "POST", '{"a":1}' },
		}) do
			it(("%d after %s (%s) with %s"):format(case[3], case[1], case[2], case[4]), function()
				local client = asker:begin(("local r = http.%s(origin .. '/a/b?c', { %s }) return r.status, r.url"):format(case[1], case[2]))
				serve(origin, case[3] .. " X", "location: ../d?e=f#g\r\n")
				local request = serve(origin, "200 OK")
				assert.equal(case[4] .. " /d?e=f HTTP/1.1", request.line)
				assert.equal(case[5], request.body)
				if case[5] == "" then
					assert.is_nil(request.headers["content-type"])
				end
				assert.equal("200|" .. origin.url .. "/d?e=f", (asker:finish(client)))
			end)
		end

		for location, target in pairs({
			["/x"] = "/x", ["x"] = "/a/x", ["?q"] = "/a/b?q", ["./x/../y/"] = "/a/y/", ["//HOST/z"] = "/z",
			["/ä b"] = "/%C3%A4%20b", ["http://HOST"] = "/", [""] = "/a/b?c",
		}) do
			it("a location of '" .. location .. "'", function()
				local client = asker:begin("return http.get(origin .. '/a/b?c').url")
				serve(origin, "302 Found", ("location: %s\r\n"):format((location:gsub("HOST", "127.0.0.1:" .. origin.port))))
				assert.equal("GET " .. target .. " HTTP/1.1", serve(origin, "200 OK").line)
				assert.equal(origin.url .. target, (asker:finish(client)))
			end)
		end
	end)

	it("takes no credentials to another origin, but to the same one", function()
		local client = asker:begin([[
			return http.get(origin, { auth = { 'a', 'b' }, headers = { Cookie = 'c=d', ['x-e'] = 'f', host = 'g.test' } }).status]])
		assert.is_truthy(serve(origin, "302 Found", "location: /again\r\n").headers.cookie)
		local same = serve(origin, "302 Found", ("location: %s/away\r\n"):format(other.url))
		assert.equal("Basic YTpi c=d g.test", table.concat({ same.headers.authorization, same.headers.cookie, same.headers.host }, " "))
		local away = serve(other, "200 OK")
		assert.equal("GET /away HTTP/1.1", away.line)
		assert.is_nil(away.headers.authorization)
		assert.is_nil(away.headers.cookie)
		assert.equal("f", away.headers["x-e"])
		assert.equal("127.0.0.1:" .. other.port, away.headers.host)
		assert.equal("200", (asker:finish(client)))
	end)

	it("takes no bearer of a client to another origin", function()
		local client = asker:begin("return http.client{ bearer = 't', base_url = origin }:get('/').status")
		assert.equal("Bearer t", serve(origin, "302 Found", ("location: %s/\r\n"):format(other.url)).headers.authorization)
		assert.is_nil(serve(other, "200 OK").headers.authorization)
		assert.equal("200", (asker:finish(client)))
	end)

	it("follows no more than it is told to", function()
		local client = asker:begin("return http.get(origin, { redirects = 2 })")
		for _ = 1, 3 do
			serve(origin, "302 Found", "location: /\r\n")
		end
		assert.equal("nil|more than 2 redirects|redirects", (asker:finish(client)))
	end)

	for code, what in pairs({
		["http.get(origin, { redirects = 0 })"] = "a get that shall not",
		["http.post(origin, { body = 'x' })"] = "a post that was not told to",
	}) do
		it("gives the redirect itself to " .. what, function()
			local client = asker:begin(("local r = %s return r.status, r.headers.location"):format(code))
			serve(origin, "307 Temporary Redirect", "location: /x\r\n")
			assert.equal("307|/x", (asker:finish(client)))
		end)
	end

	it("gives a 302 without location, and a 304, as they are", function()
		for _, status in ipairs({ "302 Found", "304 Not Modified", "300 Multiple Choices" }) do
			local client = asker:begin("return http.get(origin).status")
			serve(origin, status)
			assert.equal(status:sub(1, 3), (asker:finish(client)))
		end
	end)

	for location, expected in pairs({
		["ftp://x/"] = "malformed", ["http://u:p@x/"] = "malformed", ["http://x:0/"] = "malformed", ["javascript:alert(1)"] = "malformed",
	}) do
		it("does not go to " .. location, function()
			local client = asker:begin("return (select(3, http.get(origin)))")
			serve(origin, "302 Found", ("location: %s\r\n"):format(location))
			assert.equal(expected, (asker:finish(client)))
		end)
	end

	it("does not leave a unix socket, nor send content twice that it has not kept", function()
		local path = os.tmpname()
		os.remove(path)
		local inside = origins.listen(path)
		local client = asker:begin(("return (select(3, http.get('http://x/', { unix = '%s' })))"):format(path))
		serve(inside, "302 Found", ("location: %s\r\n"):format(other.url))
		assert.equal("redirects", (asker:finish(client)))
		inside:close()
		os.remove(path)
		client = asker:begin("local once = 'x' return (select(3, http.post(origin, { redirects = 1, body = function() local x = once once = nil return x end })))")
		serve(origin, "307 Temporary Redirect", "location: /\r\n")
		assert.equal("redirects", (asker:finish(client)))
	end)

	describe("asks again", function()
		it("after 503, and after a connection that broke", function()
			local client = asker:begin("local r = http.get(origin, { retries = { times = 3, delay = 0.001 } }) return r.status, r:text()")
			serve(origin, "503 Service Unavailable")
			local visit = origin:accept()
			visit:request()
			visit:close()
			serve(origin, "502 Bad Gateway")
			serve(origin, "200 OK", nil, "at last")
			assert.equal("200|at last", (asker:finish(client)))
		end)

		it("as often as it is told, and gives the last outcome", function()
			local client = asker:begin("return http.get(origin, { retries = { times = 1, delay = 0.001 } }).status")
			serve(origin, "503 Service Unavailable")
			serve(origin, "504 Gateway Timeout")
			assert.equal("504", (asker:finish(client)))
			assert.equal("refused", asker:run("return (select(3, http.post('http://127.0.0.1:1', { body = 'x', retries = { times = 2, delay = 0.001 } })))"))
		end)

		it("after as long as Retry-After says", function()
			local client = asker:begin("local now = require('tidegate.core.http').now local began = now() http.get(origin, { retries = 1 }) return now() - began >= 1")
			serve(origin, "503 Service Unavailable", "retry-after: 1\r\n")
			serve(origin, "200 OK")
			assert.equal("true", (asker:finish(client)))
		end)

		for code, what in pairs({
			["http.post(origin, { body = 'x', retries = 2 })"] = "a post",
			["http.get(origin)"] = "what shall not be repeated",
			["http.put(origin, { body = buffer.new('x'), retries = 2 })"] = "content that is gone",
			["http.get(origin, { retries = { times = 1, statuses = { 500 } } })"] = "after a status that was not named",
			["http.get(origin, { retries = { times = 1, delay = 50 }, timeout = 5 })"] = "beyond its time",
		}) do
			it("not " .. what, function()
				local client = asker:begin(("return %s.status"):format(code))
				serve(origin, "503 Service Unavailable")
				assert.equal("503", (asker:finish(client)))
				assert.is_true(origin:is_quiet())
			end)
		end
	end)
end)
