local template = require("tidegate.grammar.template")

-- The segments of a template, without the patterns of its types.
local function parse(text)
	local segments = assert(template.parse(text))
	for _, segment in ipairs(segments) do
		for _, piece in ipairs(segment) do
			if type(piece) == "table" then
				assert.equal(piece.type ~= nil, piece.pattern ~= nil)
				piece.pattern, piece.rank = nil, nil
			end
		end
	end
	return segments
end

describe("tidegate.grammar.template", function()
	local readings = {
		{ "/", { {} } },
		{ "/users", { { "users" } } },
		{ "/users/", { { "users" }, {} } },
		{ "/größe/~a,b;c=d", { { "größe" }, { "~a,b;c=d" } } },
		{ "/.well-known/a..b", { { ".well-known" }, { "a..b" } } },
		{ "/{id}", { { { name = "id" } } } },
		{ "/{_Id9:int}", { { { name = "_Id9", type = "int" } } } },
		{ "/f/{path...}", { { "f" }, { { name = "path", rest = true } } } },
		{ "/v{n:int}", { { "v", { name = "n", type = "int" } } } },
		{ "/{a}.{b}.gz", { { { name = "a" }, ".", { name = "b" }, ".gz" } } },
		{ "/{a}/{b}", { { { name = "a" } }, { { name = "b" } } } },
		{ "/{x:[a-z]+}", { { { name = "x", type = "[a-z]+" } } } },
		{ "/{x:{[0-9]} 'a' / .}/y", { { { name = "x", type = "{[0-9]} 'a' / ." } }, { "y" } } },
	}
	for _, case in ipairs(readings) do
		local text, segments = table.unpack(case)
		it(("reads '%s'"):format(text), function()
			assert.same(segments, parse(text))
		end)
	end

	local mistakes = {
		{ "", "it must begin with '/'" },
		{ "users", "it must begin with '/'" },
		{ "{id}", "it must begin with '/'" },
		{ "//", "it has an empty segment" },
		{ "/a//b", "it has an empty segment" },
		{ "/a//", "it has an empty segment" },
		{ "/a/./b", "no request has a segment '.'" },
		{ "/a/..", "no request has a segment '..'" },
		{ "/a*", "'*' cannot stand in a path" },
		{ "/a?b=1", "'?' cannot stand in a path" },
		{ "/a#b", "'#' cannot stand in a path" },
		{ "/a b", "white space cannot stand in a path" },
		{ "/a\0", "a control byte cannot stand in a path" },
		{ "/a\127", "a control byte cannot stand in a path" },
		{ "/{id", "a '{' is never closed" },
		{ "/{id:{}", "a '{' is never closed" },
		{ "/id}", "a '}' closes nothing" },
		{ "/{}", "'{}' is none of {name}, {name:type} and {name...}" },
		{ "/{id:}", "'{id:}' is none of {name}, {name:type} and {name...}" },
		{ "/{9}", "'{9}' is none of {name}, {name:type} and {name...}" },
		{ "/{a-b}", "'{a-b}' is none of {name}, {name:type} and {name...}" },
		{ "/{a...:int}", "'{a...:int}' is none of {name}, {name:type} and {name...}" },
		{ "/{id}/x/{id}", "it names 'id' twice" },
		{ "/{a}{b}", "text must separate {a} and {b}" },
		{ "/{p...}/", "{p...} must be the last segment" },
		{ "/{p...}/x", "{p...} must be the last segment" },
		{ "/x{p...}", "{p...} must be a whole segment" },
		{ "/{p...}.txt", "{p...} must be a whole segment" },
		{ "/{id:itn}", "unknown type 'itn'; did you mean 'int'?" },
		{ "/{id:[a-z}", "'[a-z' is no pattern: pattern error near '[a-z'" },
	}
	for _, case in ipairs(mistakes) do
		local text, why = table.unpack(case)
		local shown = text:gsub("%c", "?")
		it(("refuses '%s', for %s"):format(shown, why), function()
			local segments, message = template.parse(text)
			assert.is_nil(segments)
			assert.equal(("malformed template '%s': %s"):format(shown, why), message)
		end)
	end

	it("reads what needs no grammar as the grammar does", function()
		local words = { "a", "x-1", "~b.c", "_d", "Z", "{id}", "{name_1}", "{_}" }
		for _ = 1, 200 do
			local text, names = {}, {}
			for i = 1, math.random(4) do
				local word = words[math.random(#words)]
				text[i] = "/" .. (names[word] and "again" or word)
				names[word] = word:find("{", 1, true)
			end
			local plain = table.concat(text)
			local segments = assert(template.parse(plain .. "/{rest...}")) -- this one needs it
			segments[#segments] = nil
			assert.same(segments, template.parse(plain), plain)
		end
	end)

	describe("splits a segment of text and parameters", function()
		-- The parameters a, b, c that `text` has, as a list; or nil.
		local function split(segment, text)
			local parts = template.mixed(assert(template.parse("/" .. segment))[1])
			local params = {}
			if not template.split(parts, text) then
				return nil
			end
			assert.is_true(template.split(parts, text, params, { "?", "a", "b", "c" }, 1))
			return { params.a, params.b, params.c }
		end

		local cases = {
			{ "v{a}", "v1", { "1" } },
			{ "v{a:int}", "v12", { 12 } },
			{ "{a}.json", "x.json", { "x" } },
			{ "{a}.json", "x.json.json", { "x.json" } },
			{ "{a}.{b}", "x.tar.gz", { "x", "tar.gz" } },
			{ "{a}.{b}", "..", nil },
			{ "{a}.{b}", "...", { ".", "." } },
			{ "{a:date}-{b}", "2024-02-29-leap-day", { "2024-02-29", "leap-day" } },
			{ "{a:int}x{b:int}@{c:number}", "3x-4@1.5", { 3, -4, 1.5 } },
			{ "a{a}a", "aaa", { "a" } },
			{ "a{a}a", "aa", nil },
			{ "v{a}", "v", nil },
			{ "v{a}", "w1", nil },
			{ "v{a:int}", "vx", nil },
			{ "{a}.json", ".json", nil },
			{ "{a}.json", "x.jsonp", nil },
			{ "{a}.{b}", "x.", nil },
			{ "{a}.{b}", ".x", nil },
			{ "{a}-{b}-z", "x-z", nil },
			{ "{a:[a-z]*}.{b}", ".x", nil },
		}
		for _, case in ipairs(cases) do
			local segment, text = case[1], case[2]
			local name = case[3] and "finds '%s' in '%s'" or "finds no '%s' in '%s'"
			it(name:format(segment, text), function()
				assert.same(case[3], split(segment, text))
			end)
		end

		it("ends a parameter where it first can, even if another end would fit the whole", function()
			assert.is_nil(split("{a:word}-{b:int}", "a-b-3"))
		end)
	end)
end)

describe("a parameter as other tools write it", function()
	for text, name in pairs({ ["/users/:id"] = "id", ["/users/[id]"] = "id", ["/files/[...path]"] = "...path" }) do
		it(("is refused: '%s'"):format(text), function()
			local pieces, message = template.parse(text)
			assert.is_nil(pieces)
			assert.equal(("malformed template '%s': a parameter is written {%s}"):format(text, name), message)
		end)
	end
end)
