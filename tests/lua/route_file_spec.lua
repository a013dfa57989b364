local route_file = require("tidegate.route_file")

describe("tidegate.route_file", function()
	local paths = {
		{ "index.lua", "/" },
		{ "hello.lua", "/hello" },
		{ "users.lua", "/users" },
		{ "users/index.lua", "/users" },
		{ "users/{id}.lua", "/users/{id}" },
		{ "users/{id:int}.lua", "/users/{id:int}" },
		{ "users/{id}/posts.lua", "/users/{id}/posts" },
		{ "users/{id}/index.lua", "/users/{id}" },
		{ "files/{path...}.lua", "/files/{path...}" },
		{ "{path...}.lua", "/{path...}" },
		{ "feed.xml.lua", "/feed.xml" },
		{ "{name}.{ext}.lua", "/{name}.{ext}" },
		{ "{code:[a-z]+}.lua", "/{code:[a-z]+}" },
		{ "indexes.lua", "/indexes" },
		{ "reindex.lua", "/reindex" },
		{ "index/a.lua", "/index/a" },
		{ "a_b.lua", "/a_b" },
	}
	for _, case in ipairs(paths) do
		local name, path = table.unpack(case)
		it(("serves %s by %s"):format(path, name), function()
			assert.equal(path, route_file.template(name))
		end)
	end

	local others = {
		{ "_middleware.lua", "no route: '_middleware.lua' begins with '_'" },
		{ "users/_middleware.lua", "no route: '_middleware.lua' begins with '_'" },
		{ "_parts/page.lua", "no route: '_parts' begins with '_'" },
		{ ".hidden.lua", "no route: '.hidden.lua' begins with '.'" },
		{ ".git/hook.lua", "no route: '.git' begins with '.'" },
		{ "a/.lua", "no route: '.lua' begins with '.'" },
		{ "notes.txt", "no route: 'notes.txt' does not end in '.lua'" },
		{ "hello.lua~", "no route: 'hello.lua~' does not end in '.lua'" },
		{ "lua", "no route: 'lua' does not end in '.lua'" },
	}
	for _, case in ipairs(others) do
		local name, reason = table.unpack(case)
		it(("takes %s for no route"):format(name), function()
			assert.same({ nil, reason }, { route_file.template(name) })
		end)
	end

	local mistakes = {
		{ "a b.lua", "malformed template '/a b': white space cannot stand in a path" },
		{ "{id.lua", "malformed template '/{id': a '{' is never closed" },
		{ "{id:itn}.lua", "malformed template '/{id:itn}': unknown type 'itn'; did you mean 'int'?" },
		{ "{p...}/a.lua", "malformed template '/{p...}/a': {p...} must be the last segment" },
	}
	for _, case in ipairs(mistakes) do
		local name, reason = table.unpack(case)
		it(("says what is wrong with %s"):format(name), function()
			assert.same({ nil, reason }, { route_file.template(name) })
		end)
	end
end)
