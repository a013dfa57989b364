local routers = require("tidegate.router")

-- A router of routes whose values are their templates; a route is a template or
-- { template, host }.
local function router_of(routes)
	local router = routers.new()
	for _, route in ipairs(routes) do
		local text, host = route, nil
		if type(route) == "table" then
			text, host = table.unpack(route)
		end
		assert(router:add(text, (host or "") .. text, host, "a file"))
	end
	return router
end

local function finds(routes, path, value, params)
	local router = router_of(routes)
	local found, found_params = router:match(path)
	assert.equal(value, found)
	assert.same(params, found_params)
end

describe("tidegate.router", function()
	describe("without parameters", function()
		it("matches paths whole", function()
			finds({ "/health" }, "/health", "/health")
			finds({ "/health" }, "/healt", nil)
			finds({ "/health" }, "/health/deep", nil)
			finds({ "/" }, "/", "/")
		end)

		it("gives no parameters", function()
			local count = select("#", router_of({ "/a" }):match("/b"))
			assert.is_true(count <= 1)
			assert.is_nil(select(2, router_of({ "/a" }):match("/a")))
		end)

		it("distinguishes a trailing slash", function()
			local routes = { "/users", "/users/" }
			finds(routes, "/users", "/users")
			finds(routes, "/users/", "/users/")
			finds({ "/users" }, "/users/", nil)
			finds({ "/users/" }, "/users", nil)
		end)

		it("distinguishes upper and lower case", function()
			finds({ "/users" }, "/Users", nil)
		end)

		it("matches nothing that is no path", function()
			for _, path in ipairs({ "", "*", "example.com:443", "users" }) do
				finds({ "/", "/users", "/{path...}" }, path, nil)
			end
		end)
	end)

	describe("with a parameter", function()
		it("gives one segment", function()
			finds({ "/users/{id}" }, "/users/ada", "/users/{id}", { id = "ada" })
			finds({ "/users/{id}" }, "/users/a%2Fb c", "/users/{id}", { id = "a%2Fb c" })
			finds({ "/users/{id}" }, "/users/a/b", nil)
		end)

		it("never matches an empty segment", function()
			for _, template in ipairs({ "/a/{x}", "/a/{x:int}", "/a/{x:[a-z]*}" }) do
				finds({ template }, "/a/", nil)
				finds({ template .. "/b" }, "/a//b", nil)
			end
		end)

		it("converts what is typed", function()
			finds({ "/{n:int}" }, "/-7", "/{n:int}", { n = -7 })
			finds({ "/{n:number}" }, "/1e3", "/{n:number}", { n = 1000.0 })
			finds({ "/{n:int}" }, "/x", nil)
		end)

		it("gives each route the names it wrote itself", function()
			local routes = { "/{id}/posts", "/{user}/{file}", "/{a:int}/x", "/{b:int}/y" }
			finds(routes, "/u/posts", "/{id}/posts", { id = "u" })
			finds(routes, "/u/f", "/{user}/{file}", { user = "u", file = "f" })
			finds(routes, "/1/x", "/{a:int}/x", { a = 1 })
			finds(routes, "/1/y", "/{b:int}/y", { b = 1 })
		end)

		it("may be mixed with text", function()
			local routes = { "/v{major:int}.{minor:int}/{name}.{ext}" }
			local params = { major = 1, minor = 2, name = "a", ext = "tar.gz" }
			finds(routes, "/v1.2/a.tar.gz", routes[1], params)
			finds(routes, "/v1.x/a.b", nil)
			finds(routes, "/v1.2/a", nil)
		end)

		it("keeps the values of two matches apart", function()
			local router = router_of({ "/{id}" })
			local _, first = router:match("/1")
			local _, second = router:match("/2")
			assert.same({ { id = "1" }, { id = "2" } }, { first, second })
		end)
	end)

	describe("with a rest", function()
		local routes = { "/files/{path...}" }

		it("matches the folder and everything below", function()
			finds(routes, "/files/", routes[1], { path = "" })
			finds(routes, "/files/a", routes[1], { path = "a" })
			finds(routes, "/files/a/b/", routes[1], { path = "a/b/" })
			finds(routes, "/files//a", routes[1], { path = "/a" })
		end)

		it("does not match without the slash", function()
			finds(routes, "/files", nil)
			finds(routes, "/filesystem/a", nil)
		end)

		it("may stand at the top and behind parameters", function()
			finds({ "/{path...}" }, "/", "/{path...}", { path = "" })
			finds({ "/{n:int}/{path...}" }, "/5/a/b", "/{n:int}/{path...}", { n = 5, path = "a/b" })
		end)
	end)

	describe("prefers", function()
		local orders = { -- each serves the path; the first of them wins
			{ "/2024-02-29", "/{x:date}", "/{x:word}", "/2{x}", "/{x}", "/{x...}" },
			{ "/123e4567-e89b-12d3-a456-426614174000", "/{x:uuid}", "/{x:word}", "/{x}" },
			{ "/12", "/{x:int}", "/{x:hex}", "/{x:number}", "/{x:word}", "/{x:[0-9]+}", "/1{x}", "/{x}" },
			{ "/a", "/{x:[a-c]}", "/{x:[a-d]}", "/{x:[a-e]}", "/{x}" },
			{ "/v1.2", "/v{a:int}.{b:int}", "/v{a:int}.{b}", "/v{a}.{b}", "/v{a}", "/{a}.{b}", "/{a}" },
			{ "/a.b", "/a.b", "/{x}.b", "/{x}", "/{x...}" },
			{ "/a/b", "/a/b", "/a/{x}", "/a/{x...}", "/{x}/b", "/{x}/{y}", "/{x}/{y...}", "/{x...}" },
			{ "/5/b", "/{x:int}/{y}", "/{x}/b" },
		}
		for _, order in ipairs(orders) do
			local path = order[1]
			it(("%s for %s"):format(table.concat(order, " over ", 2), path), function()
				for first = 2, #order do
					local routes = {}
					for i = #order, first, -1 do
						routes[#routes + 1] = order[i]
					end
					assert.equal(order[first], (router_of(routes):match(path)))
				end
			end)
		end

		it("what matches the whole path over what began better", function()
			local routes = { "/a/{x:int}/c", "/a/{x}/d", "/{x}/1/e", "/{x...}" }
			finds(routes, "/a/1/c", "/a/{x:int}/c", { x = 1 })
			finds(routes, "/a/1/d", "/a/{x}/d", { x = "1" })
			finds(routes, "/a/1/e", "/{x}/1/e", { x = "a" })
			finds(routes, "/a/1/f", "/{x...}", { x = "a/1/f" })
		end)
	end)

	describe("with hosts", function()
		local routes = {
			"/", "/everywhere", "/{x}",
			{ "/", "api.example.com" },
			{ "/", "*.example.com" },
			{ "/", "*.eu.example.com" },
			{ "/only", "*.example.com" },
			{ "/{x:int}", "api.example.com" },
		}
		local router = router_of(routes)
		local cases = {
			{ "api.example.com", "/", "api.example.com/" },
			{ "API.Example.COM", "/", "api.example.com/" },
			{ "www.example.com", "/", "*.example.com/" },
			{ "a.b.example.com", "/", "*.example.com/" },
			{ "a.eu.example.com", "/", "*.eu.example.com/" },
			{ "eu.example.com", "/", "*.example.com/" },
			{ "a.eu.example.com", "/only", "*.example.com/only" },
			{ "api.example.com", "/only", "*.example.com/only" },
			{ "api.example.com", "/everywhere", "/everywhere" },
			{ "api.example.com", "/5", "api.example.com/{x:int}" },
			{ "api.example.com", "/x", "/{x}" },
			{ "example.com", "/", "/" },
			{ ".example.com", "/", "/" },
			{ "badexample.com", "/", "/" },
			{ "api.example.com.org", "/", "/" },
			{ "", "/", "/" },
			{ nil, "/", "/" },
		}
		for i = 1, #cases do
			local host, path, value = table.unpack(cases[i], 1, 3)
			it(("answers %s on %s by %s"):format(path, host or "no host", value), function()
				assert.equal(value, (router:match(path, host)))
			end)
		end

		it("tells whether any route has one", function()
			assert.is_true(router.by_host)
			assert.falsy(router_of({ "/", "/{x}" }).by_host)
		end)

		it("gives what serves plain paths, if no route has one", function()
			local plain = router_of({ "/", "/a", "/{x}" })
			assert.same({ ["/"] = "/", ["/a"] = "/a" }, plain:done())
			assert.equal("/a", (plain:match("/a")))
			assert.same({}, router:done())
		end)

		it("ignores the host of a request if no route has one", function()
			assert.equal("/", (router_of({ "/" }):match("/", "example.com")))
		end)

		it("takes an address for a host", function()
			assert.equal("[::1]/", (router_of({ { "/", "[::1]" } }):match("/", "[::1]")))
			assert.equal("127.0.0.1/", (router_of({ { "/", "127.0.0.1" } }):match("/", "127.0.0.1")))
		end)

		local malformed = { "", "*", "*.", "*example.com", ".example.com", "a.*.com", "a b", "a/b" }
		for _, host in ipairs(malformed) do
			it(("refuses the host '%s'"):format(host), function()
				local ok, message = routers.new():add("/", 1, host, "a file")
				assert.is_nil(ok)
				assert.matches(("malformed host '%s': a name"):format(host), message, 1, true)
			end)
		end

		it("refuses a host with a port", function()
			local ok, message = routers.new():add("/", 1, "example.com:8080", "a file")
			assert.is_nil(ok)
			assert.equal("malformed host 'example.com:8080': it stands without its port", message)
		end)
	end)

	describe("refuses", function()
		local conflicts = {
			{ "/", "/" },
			{ "/users", "/users" },
			{ "/users/{id}", "/users/{name}" },
			{ "/users/{id:int}/x", "/users/{n:int}/x" },
			{ "/{a:[a-z]+}", "/{b:[a-z]+}" },
			{ "/{a}.{b}", "/{name}.{ext}" },
			{ "/{a...}", "/{path...}" },
			{ "/{x}/", "/{y}/" },
		}
		for _, case in ipairs(conflicts) do
			local first, second = table.unpack(case)
			it(("%s beside %s"):format(second, first), function()
				local router = routers.new()
				assert.is_true(router:add(first, 1, nil, "handlers/first.lua"))
				local expected = ("'%s' is also served by handlers/first.lua ('%s')"):format(second, first)
				local ok, message = router:add(second, 2, nil, "handlers/second.lua")
				assert.is_nil(ok)
				assert.equal(expected, message)
			end)
		end

		it("the same on one host, whatever its case", function()
			local router = routers.new()
			assert.is_true(router:add("/{a}", 1, "Example.com", "handlers/a.lua"))
			local ok, message = router:add("/{b}", 2, "example.com", "handlers/b.lua")
			assert.is_nil(ok)
			assert.equal("'/{b}' on example.com is also served by handlers/a.lua ('/{a}')", message)
		end)

		it("a malformed template", function()
			local ok, message = routers.new():add("/{id", 1)
			assert.is_nil(ok)
			assert.equal("malformed template '/{id': a '{' is never closed", message)
		end)
	end)

	it("takes what only looks alike", function()
		router_of({
			"/users", "/users/", "/users/{id}", "/users/{id:int}", "/users/{id:number}",
			"/users/{id}/", "/users/{path...}", "/users/u{id}", { "/users/{id}", "a.com" },
			{ "/users/{id}", "b.com" }, { "/users/{id}", "*.a.com" },
		})
	end)

	it("walks a path no longer than its routes, however many ways there are", function()
		local router = router_of({ "/{a:word}-{b:word}-{c:int}/x", "/{a:int}.{b}.{c}.d", "/a/{x...}" })
		local thousands = 0
		debug.sethook(function() thousands = thousands + 1 end, "", 1000)
		for _, unit in ipairs({ "a-", "a.", "1.", "a/" }) do
			router:match("/" .. unit:rep(4000) .. "!")
		end
		debug.sethook()
		assert.is_true(thousands < 1000, thousands .. " thousand steps")
	end)
end)
