-- The router compared with a reference that tries every route on its own and
-- takes the best by the ranks of its segments.

local routers = require("tidegate.router")

describe("tidegate.router on random routes", function()
	local function plain(text)
		return text ~= "" and text or nil
	end
	local function int(text)
		return text:find("^%-?%d+$") and math.tointeger(tonumber(text)) or nil
	end

	-- What a segment of a template may be, best first: its text, where %s
	-- is the name, and the value it gives to a segment of a path.
	local kinds = {
		{ "a", function(text) return text == "a" end },
		{ "12", function(text) return text == "12" end },
		{ "", function(text) return text == "" end },
		{ "{%s:int}", int },
		{ "{%s:hex}", function(text) return text:match("^%x+$") end },
		{ "{%s:word}", function(text) return text:match("^[%w_-]+$") end },
		{ "{%s:[a-c]+}", function(text) return text:match("^[a-c]+$") end },
		{ "a-{%s}", function(text) return text:match("^a%-(.+)$") end },
		{ "a{%s:int}", function(text) return int(text:match("^a(.*)$") or "") end },
		{ "a{%s}", function(text) return text:match("^a(.+)$") end },
		{ "{%s}", plain },
	}
	local empty, rest = 3, #kinds + 1
	local words = { "a", "12", "b", "a1", "a-b", "-3", "x.y", "ff", "abc", "a-", "" }

	local function random_route()
		local ranks, text = {}, {}
		for i = 1, math.random(4) do
			ranks[i] = math.random(#kinds)
			while ranks[i] == empty do
				ranks[i] = math.random(#kinds)
			end
			text[i] = "/" .. kinds[ranks[i]][1]:format("p" .. i)
		end
		local ending = math.random(6)
		if ending == 1 then
			ranks[#ranks + 1], text[#text + 1] = empty, "/"
		elseif ending == 2 then
			text[#text + 1] = ("/{p%d...}"):format(#text + 1)
			ranks[#ranks + 1] = rest
		end
		return { ranks = ranks, text = table.concat(text) }
	end

	local function random_path()
		local path = {}
		for i = 1, math.random(5) do
			path[i] = "/" .. words[math.random(#words)]
		end
		return table.concat(path)
	end

	local function params_of(route, path)
		local segments, params = {}, {}
		for segment in path:gmatch("/([^/]*)") do
			segments[#segments + 1] = segment
		end
		for i, rank in ipairs(route.ranks) do
			if not segments[i] then return nil end
			if rank == rest then
				params["p" .. i] = table.concat(segments, "/", i)
				return params
			end
			local value = kinds[rank][2](segments[i])
			if not value then return nil end
			params["p" .. i] = value ~= true and value or nil
		end
		return #segments == #route.ranks and params or nil
	end

	local function is_better(a, b)
		for i, rank in ipairs(a.ranks) do
			if rank ~= b.ranks[i] then return rank < b.ranks[i] end
		end
	end

	local function reference(routes, path)
		local best, best_params
		for _, route in ipairs(routes) do
			local params = params_of(route, path)
			if params and (not best or is_better(route, best)) then
				best, best_params = route, params
			end
		end
		return best and best.text, best and next(best_params) and best_params or nil
	end

	-- Returns a router of random routes, and the routes.
	local function random_router()
		local router, routes, seen = routers.new(), {}, {}
		for _ = 1, math.random(25) do
			local route = random_route()
			local ok = router:add(route.text, route.text, nil, "a file")
			assert.equal(not seen[route.text], ok or false)
			if ok then
				seen[route.text], routes[#routes + 1] = true, route
			end
		end
		return router, routes
	end

	it("agrees with trying them one by one", function()
		local matches, hits = 15000, 0
		local router, routes
		for i = 1, matches do
			if i % 100 == 1 then
				math.randomseed(i)
				router, routes = random_router()
			end
			local path = random_path()
			local expected, expected_params = reference(routes, path)
			local found, params = router:match(path)
			local where = ("match %d: %s"):format(i, path)
			assert.equal(expected, found, where)
			assert.same(expected_params, params, where)
			hits = hits + (found and 1 or 0)
		end
		assert.is_true(hits > matches / 10, hits .. " hits: too few to tell anything")
	end)
end)
