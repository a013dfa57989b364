-- What a match costs with 10 routes and with 1,000, all of them with parameters.
--     lua5.4 bench/router.lua

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path

local routers = require("tidegate.router")

local rounds, matches = 9, 300000

local shapes = { -- a template and a path for it, by the number of a resource
	{ "/resource%d/{id}", "/resource%d/ada" },
	{ "/resource%d/{id:int}", "/resource%d/4711" },
	{ "/resource%d/{id:int}/parts/{part}", "/resource%d/4711/parts/keel" },
	{ "/resource%d/{name}/edit", "/resource%d/ada/edit" },
	{ "/resource%d/files/{path...}", "/resource%d/files/a/b/c.txt" },
}

local function router_with(count)
	local router, paths = routers.new(), {}
	for i = 0, count - 1 do
		local shape = shapes[i % #shapes + 1]
		local number = i // #shapes
		assert(router:add(shape[1]:format(number), i, nil, "bench"))
		paths[i + 1] = shape[2]:format(number)
	end
	return router, paths
end

-- The least of several rounds: what disturbs a round only makes it slower.
local function measure(count)
	local router, paths = router_with(count)
	for i, path in ipairs(paths) do
		assert(router:match(path) == i - 1, path)
	end
	local least = math.huge
	for _ = 1, rounds do
		local start, at = os.clock(), 0
		for _ = 1, matches do
			at = at % count + 1
			router:match(paths[at])
		end
		least = math.min(least, (os.clock() - start) / matches * 1e9)
	end
	return least
end

local few, many = measure(10), measure(1000)
print(("   10 routes  %6.0f ns a match"):format(few))
print((" 1000 routes  %6.0f ns a match"):format(many))
print(("ratio         %6.2f (at most 2)"):format(many / few))
