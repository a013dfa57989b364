--- Finds what serves a path, and the parameters in it.
--
-- A path without parameters is one look-up in a table.  Any other is walked,
-- segment by segment, down a tree whose nodes try what is stricter first.  A
-- node stands for one beginning of a template, so that a match visits it at
-- most once: no path can cost more than the tree has nodes.

local lpeg = require("lpeg")

local template = require("tidegate.grammar.template")

local find, sub, byte, fit = string.find, string.sub, string.byte, lpeg.match

local split = template.split

local slash = byte("/")

local walk

local function follow(node, path, stop, count)
	if stop then
		return walk(node, path, stop + 1, count)
	end
	local route = node.route
	return route, route and {}
end

-- A mixed segment is split a second time for its values, once the whole path has
-- matched: until then there is no table to put them in.
local function try(branch, segment, path, stop, count)
	if branch.pattern then
		local value = fit(branch.pattern, segment)
		if not value then
			return nil
		end
		local route, params = follow(branch.node, path, stop, count + 1)
		if route then
			params[route.names[count + 1]] = value
		end
		return route, params
	end
	if not split(branch.mixed, segment) then
		return nil
	end
	local route, params = follow(branch.node, path, stop, count + #branch.mixed)
	if route then
		split(branch.mixed, segment, params, route.names, count)
	end
	return route, params
end

-- `at` is where a segment begins, `count` how many parameters came before it.
function walk(node, path, at, count)
	local stop = find(path, "/", at, true)
	local segment = sub(path, at, stop and stop - 1)
	local child = node.literals[segment]
	if child then
		local route, params = follow(child, path, stop, count)
		if route then
			return route, params
		end
	end
	if segment ~= "" then
		for i = 1, #node.branches do
			local route, params = try(node.branches[i], segment, path, stop, count)
			if route then
				return route, params
			end
		end
		if node.plain then
			local route, params = follow(node.plain, path, stop, count + 1)
			if route then
				params[route.names[count + 1]] = segment
				return route, params
			end
		end
	end
	local rest = node.rest
	if rest then
		return rest, { [rest.names[count + 1]] = sub(path, at) }
	end
end

local function match_in(site, path)
	local value = site.static[path]
	if value then
		return value
	end
	if byte(path) == slash then
		local found, params = walk(site.root, path, 2, 0)
		if found then
			return found.value, params
		end
	end
end

local none = {} -- what most nodes have

local function new_node()
	return { literals = none, branches = none, plain = nil, route = nil } -- made as large as most become
end

local function new_site()
	return { static = {}, root = new_node(), added = {} }
end

-- What a segment looks like whatever its parameters are called.
local function shape_of(segment)
	local shape = {}
	for i, piece in ipairs(segment) do
		local is_text = type(piece) == "string"
		shape[i] = is_text and piece or ("{%s}"):format(piece.rest and "..." or piece.type or "")
	end
	return table.concat(shape)
end

-- Typed parameters by their rank, then what has more literal text, then what
-- has more types; what is still equal, by how it is written.
local function is_stricter(a, b)
	if a.rank ~= b.rank then return a.rank < b.rank end
	if a.text ~= b.text then return a.text > b.text end
	if a.types ~= b.types then return a.types > b.types end
	return a.shape < b.shape
end

local function new_branch(segment, shape)
	local branch = { shape = shape, node = new_node(), rank = math.huge, text = 0, types = 0 }
	if #segment == 1 then
		branch.pattern, branch.rank = segment[1].pattern, segment[1].rank
		return branch
	end
	for _, piece in ipairs(segment) do
		if type(piece) == "string" then
			branch.text = branch.text + #piece
		elseif piece.type then
			branch.types = branch.types + 1
		end
	end
	branch.mixed = template.mixed(segment)
	return branch
end

local function branch_for(node, segment)
	local shape = shape_of(segment)
	for _, branch in ipairs(node.branches) do
		if branch.shape == shape then
			return branch
		end
	end
	local branch = new_branch(segment, shape)
	if node.branches == none then
		node.branches = {}
	end
	table.insert(node.branches, branch)
	table.sort(node.branches, is_stricter)
	return branch
end

-- The node behind `segment`, made if it is missing.
local function descend(node, segment)
	local first = segment[1] or ""
	if type(first) == "string" and #segment <= 1 then
		if node.literals == none then
			node.literals = {}
		end
		node.literals[first] = node.literals[first] or new_node()
		return node.literals[first]
	end
	if #segment == 1 and not first.type then
		node.plain = node.plain or new_node()
		return node.plain
	end
	return branch_for(node, segment).node
end

-- Where a route with these segments belongs: a table and a key.
local function place_of(site, text, segments, names)
	if #names == 0 then
		return site.added, text
	end
	local node = site.root
	for _, segment in ipairs(segments) do
		if #segment == 1 and segment[1].rest then
			return node, "rest"
		end
		node = descend(node, segment)
	end
	return node, "route"
end

local function names_of(segments)
	local names = {}
	for _, segment in ipairs(segments) do
		for _, piece in ipairs(segment) do
			if type(piece) == "table" then
				names[#names + 1] = piece.name
			end
		end
	end
	return names
end

local router_methods = {}
local router_mt = { __name = "tidegate.router", __index = router_methods }

-- The routes of one host.  Those of "*.NAME" are kept under ".NAME".
local function site_for(router, host)
	local star, name = host:lower():match("^(%*?)(%.?[^*/%s.][^*/%s]*)$")
	if not name or (star == "*") ~= (name:sub(1, 1) == ".") then
		return nil, ("malformed host '%s': a name, or '*.' and a name, is expected"):format(host)
	end
	if name:find(":%d*$") then
		return nil, ("malformed host '%s': it stands without its port"):format(host)
	end
	local sites = router.hosts
	if star == "*" then
		sites, router.longest = router.wildcards, math.max(router.longest, #name)
	end
	sites[name] = sites[name] or new_site()
	router.by_host = true
	return sites[name]
end

--- Adds what serves a template, on one host or on all.  Returns true, or nil and
-- a message, which names `source` if another route answers the same requests.
-- `segments` are what template.parse() gave for `text`, if that was asked before.
function router_methods:add(text, value, host, source, segments)
	local message
	if not segments then
		segments, message = template.parse(text)
	end
	if not segments then
		return nil, message
	end
	local site = self.site
	if host then
		site, message = site_for(self, host)
		if not site then
			return nil, message
		end
	end
	local names = names_of(segments)
	local place, key = place_of(site, text, segments, names)
	local other = place[key]
	if other then
		local where = host and " on " .. host or ""
		return nil, ("'%s'%s is also served by %s ('%s')"):format(text, where, other.source, other.text)
	end
	place[key] = { text = text, value = value, names = names, source = source or "another route" }
	if #names == 0 then
		site.static[text] = value
	end
	return true
end

local function match_host(router, path, host)
	local site = router.hosts[host]
	if site then
		local value, params = match_in(site, path)
		if value ~= nil then
			return value, params
		end
	end
	local at = find(host, ".", math.max(2, #host - router.longest + 1), true)
	while at do
		site = router.wildcards[sub(host, at)]
		if site then
			local value, params = match_in(site, path)
			if value ~= nil then
				return value, params
			end
		end
		at = find(host, ".", at + 1, true)
	end
end

--- Returns what serves a path, and its parameters or nil if the route has none;
-- or nil.  `host` has no port; it may be nil.
function router_methods:match(path, host)
	if host and self.by_host then
		local value, params = match_host(self, path, host:lower())
		if value ~= nil then
			return value, params
		end
	end
	return match_in(self.site, path)
end

--- No route is added any more.  Returns what serves each path without parameters;
-- an empty table if routes differ by host.
function router_methods:done()
	self.site.added = nil
	for _, sites in ipairs({ self.hosts, self.wildcards }) do
		for _, site in pairs(sites) do
			site.added = nil
		end
	end
	return self.by_host and {} or self.site.static
end

local function new()
	return setmetatable({ site = new_site(), hosts = {}, wildcards = {}, longest = 0 }, router_mt)
end

return { new = new }
