-- Versions, lists, limits and counts of shared dictionaries.

local shared = require("tidegate.shared")

local function open(name, options)
	local dict = shared.open(name, options)
	dict:flush()
	return dict
end

describe("tidegate.shared", function()
	local dict

	before_each(function()
		dict = open("versions")
	end)

	describe("a version", function()
		it("is an integer that changes with each write, and 0 of no value", function()
			assert.same({ nil, 0 }, { dict:read("key") })
			local seen = {}
			for i = 1, 100 do
				dict:set("key", i % 3)
				local value, version = dict:read("key")
				assert.equal(i % 3, value)
				assert.equal("integer", math.type(version))
				assert.is_nil(seen[version])
				seen[version] = true
				if i % 10 == 0 then
					dict:delete("key")
				end
			end
		end)

		it("changes with incr, and not with touch", function()
			dict:incr("n")
			local _, first = dict:read("n")
			dict:touch("n", 60)
			assert.equal(first, select(2, dict:read("n")))
			dict:incr("n")
			assert.is_true(first ~= select(2, dict:read("n")))
		end)
	end)

	describe("swap", function()
		it("stores where the version is still the same", function()
			local first = dict:swap("key", { 1 }, 0)
			assert.same({ 1 }, dict:get("key"))
			local second = dict:swap("key", { 2 }, first)
			assert.same({ nil, "changed", "changed" }, { dict:swap("key", { 3 }, first) })
			assert.same({ nil, "changed", "changed" }, { dict:swap("key", { 3 }, 0) })
			assert.same({ { 2 }, second }, { dict:read("key") })
		end)

		it("deletes with nil", function()
			local version = dict:swap("key", 1, 0)
			assert.same({ nil, "changed", "changed" }, { dict:swap("key", nil, version + 1) })
			assert.equal(0, dict:swap("key", nil, version))
			assert.is_nil(dict:get("key"))
			assert.equal(0, dict:swap("key", nil, 0))
		end)

		it("keeps the time to live, unless it is told another", function()
			dict:set("key", 1, 100)
			local version = dict:swap("key", 2, select(2, dict:read("key")))
			assert.is_true(dict:ttl("key") > 90 and dict:ttl("key") <= 100)
			version = dict:swap("key", 3, version, 1000)
			assert.is_true(dict:ttl("key") > 900)
			dict:swap("key", 4, version, math.huge)
			assert.equal(math.huge, dict:ttl("key"))
		end)
	end)

	describe("update", function()
		it("stores what the function makes of the value", function()
			local function add(list)
				list = list or {}
				list[#list + 1] = #list + 1
				return list
			end
			assert.same({ 1 }, dict:update("list", add))
			assert.same({ 1, 2 }, dict:update("list", add))
			assert.same({ 1, 2 }, dict:get("list"))
			assert.is_nil(dict:update("list", function() end))
			assert.is_nil(dict:get("list"))
		end)

		it("asks again if another value was stored meanwhile", function()
			local calls = 0
			dict:set("n", 1)
			assert.equal(12, dict:update("n", function(n)
				calls = calls + 1
				if calls == 1 then
					dict:set("n", 11)
				end
				return n + 1
			end))
			assert.equal(2, calls)
		end)
	end)

	describe("touch and ttl", function()
		it("change and tell how long a value lives", function()
			assert.is_nil(dict:ttl("key"))
			assert.is_false(dict:touch("key", 1))
			dict:set("key", 1)
			assert.equal(math.huge, dict:ttl("key"))
			assert.is_true(dict:touch("key", 50))
			assert.is_true(dict:ttl("key") > 40 and dict:ttl("key") <= 50)
			assert.is_true(dict:touch("key"))
			assert.equal(math.huge, dict:ttl("key"))
			assert.is_true(dict:touch("key", 1e-300))
			assert.is_nil(dict:get("key"))
		end)
	end)

	describe("keys", function()
		it("lists every key, in no order", function()
			local expected = {}
			for i = 1, 500 do
				local key = ("k"):rep(i % 100) .. "\0" .. i
				dict:set(key, i)
				expected[#expected + 1] = key
			end
			local keys, more = dict:keys()
			table.sort(keys)
			table.sort(expected)
			assert.same(expected, keys)
			assert.is_false(more)
		end)

		it("is bounded, and tells whether there are more", function()
			for i = 1, 1200 do
				dict:set(i, i)
			end
			for _, case in ipairs({ { nil, 1000, true }, { 0, 0, true }, { 7, 7, true }, { 1199, 1199, true }, { 1200, 1200, false } }) do
				local keys, more = dict:keys(case[1])
				assert.equal(case[2], #keys)
				assert.equal(case[3], more)
			end
			dict:flush()
			assert.same({ {}, false }, { dict:keys(0) })
		end)

		it("leaves out what is over", function()
			dict:set("a", 1, 1e-300)
			dict:set("b", 1)
			assert.same({ "b" }, (dict:keys()))
		end)
	end)

	describe("a list", function()
		it("takes values at both ends and gives them back", function()
			assert.equal(1, dict:push_last("list", "b"))
			assert.equal(2, dict:push_last("list", { c = 1 }))
			assert.equal(3, dict:push_first("list", 1.5))
			assert.equal(3, dict:length("list"))
			assert.equal(1.5, dict:pop_first("list"))
			assert.same({ c = 1 }, dict:pop_last("list"))
			assert.equal("b", dict:pop_last("list"))
			assert.is_nil(dict:pop_last("list"))
			assert.is_nil(dict:pop_first("list"))
			assert.equal(0, dict:length("list"))
		end)

		it("is gone when it is empty", function()
			dict:push_last("list", 1)
			assert.equal(1, dict:size())
			dict:pop_last("list")
			assert.equal(0, dict:size())
			assert.is_true(dict:add("list", "text"))
		end)

		it("keeps values of any length and kind", function()
			for _, value in ipairs({ ("x"):rep(100000), "", false, 7, { { { true } } } }) do
				dict:push_last("list", value)
				assert.same(value, dict:pop_first("list"))
			end
		end)

		it("may be long", function()
			for i = 1, 20000 do
				dict:push_last("list", i)
			end
			for i = 1, 20000 do
				assert(dict:pop_first("list") == i)
			end
		end)

		it("has the time to live of its first push", function()
			dict:push_last("list", 1, 100)
			dict:push_last("list", 2, 1000)
			assert.is_true(dict:ttl("list") <= 100)
		end)

		it("is no value for get and incr, and a value is no list", function()
			local function message(fn, ...)
				return (select(2, pcall(fn, ...)):gsub("^.-: ", ""))
			end
			dict:push_last("list", 1)
			dict:set("text", "x")
			assert.equal("cannot get 'list': its value is a list", message(function() dict:get("list") end))
			assert.equal("cannot add to 'list': its value is not a number", message(function() dict:incr("list") end))
			assert.equal("cannot push to 'text': its value is not a list", message(function() dict:push_last("text", 1) end))
			assert.equal("cannot pop from 'text': its value is not a list", message(function() dict:pop_last("text") end))
			assert.equal("cannot measure 'text': its value is not a list", message(function() dict:length("text") end))
			assert.equal("x", dict:get("text"))
			assert.equal(1, dict:length("list"))
		end)

		it("gives way to set", function()
			dict:push_last("list", 1)
			dict:set("list", "text")
			assert.equal("text", dict:get("list"))
		end)
	end)

	describe("stats", function()
		it("counts what get finds and does not find", function()
			local before = dict:stats()
			dict:set("key", ("x"):rep(5000))
			dict:get("key")
			dict:get("no")
			dict:get("no")
			local after = dict:stats()
			assert.equal(before.hits + 1, after.hits)
			assert.equal(before.misses + 2, after.misses)
			assert.equal(1, after.size)
			assert.is_true(after.bytes > 5000 and after.bytes < 5200)
			dict:flush()
			assert.equal(0, dict:stats().bytes)
			assert.is_nil(after.limit)
		end)

		it("counts the bytes of every way to write, and forgets them", function()
			for i = 1, 300 do
				dict:set("a" .. i, ("x"):rep(i))
				dict:set("a" .. i, i)
				dict:incr("b" .. i, 1.5)
				dict:push_last("c", { i })
				dict:push_first("c", ("y"):rep(i), 100)
				dict:swap("d", ("z"):rep(i), select(2, dict:read("d")))
				dict:set("e" .. i, 1, 1e-300)
			end
			assert.is_true(dict:stats().bytes > 600 * 80)
			for i = 1, 300 do
				dict:delete("a" .. i)
				dict:delete("b" .. i)
				dict:pop_first("c")
				dict:pop_last("c")
			end
			dict:delete("d")
			assert.equal(0, dict:size())
			assert.equal(0, dict:stats().bytes)
		end)
	end)

	describe("a limit", function()
		it("evicts what was not used for longest", function()
			local limited = open("limited 1", { limit = 100000 })
			limited:set("wanted", 1)
			for i = 1, 5000 do
				limited:set(i, ("x"):rep(100))
				assert.equal(1, limited:get("wanted"))
			end
			local stats = limited:stats()
			assert.equal(100000, stats.limit)
			assert.is_true(stats.bytes <= 100000 and stats.bytes > 80000, stats.bytes)
			assert.equal(5001, stats.size + stats.evictions)
			assert.is_nil(limited:get(1))
			assert.equal(("x"):rep(100), limited:get(5000))
			limited:flush()
			assert.equal(0, limited:stats().bytes)
		end)

		it("leaves room for one value that takes nearly all of it", function()
			local limited = open("limited 2", { limit = 100000 })
			for i = 1, 500 do
				limited:set(i, ("x"):rep(100))
			end
			assert.is_true(limited:set("large", ("x"):rep(99000)))
			assert.equal(99000, #limited:get("large"))
			assert.is_true(limited:stats().bytes <= 100000)
			limited:flush()
		end)

		it("refuses a value that is larger, and changes nothing", function()
			local limited = open("limited 3", { limit = 10000 })
			local refused = { nil, "larger than the dictionary's limit", "too_large" }
			limited:set("key", "old")
			local large = ("x"):rep(10000)
			assert.same(refused, { limited:set("key", large) })
			assert.same(refused, { limited:add("new", large) })
			assert.same(refused, { limited:replace("key", large) })
			assert.same(refused, { limited:swap("key", large, select(2, limited:read("key"))) })
			assert.same(refused, { limited:update("key", function() return large end) })
			assert.same(refused, { limited:push_last("list", large) })
			assert.same(refused, { limited:incr(large) })
			assert.equal("old", limited:get("key"))
			assert.equal(1, limited:size())
			limited:flush()
		end)

		it("holds for a list that grows", function()
			local limited = open("limited 4", { limit = 10000 })
			limited:set("other", ("x"):rep(5000))
			local pushed = 0
			while limited:push_last("list", ("x"):rep(100)) do
				pushed = pushed + 1
				assert.is_true(limited:stats().bytes <= 10000)
			end
			assert.equal(pushed, limited:length("list"))
			assert.is_true(pushed > 50)
			assert.is_nil(limited:get("other"))
			limited:flush()
		end)

		it("may come after values, and is one for all who open", function()
			local plain = open("limited 5")
			for i = 1, 1000 do
				plain:set(i, ("x"):rep(100))
			end
			local limited = shared.open("limited 5", { limit = 20000 })
			assert.is_true(plain == limited)
			plain:set("one more", 1)
			assert.is_true(plain:stats().bytes <= 20000)
			assert.equal(20000, plain:stats().limit)
			assert.is_true(shared.open("limited 5", { limit = 20000 }) == plain)
			local ok, message = pcall(function() shared.open("limited 5", { limit = 30000 }) end)
			assert.is_false(ok)
			assert.matches("shared_versions_spec%.lua:%d+: dictionary 'limited 5' has a limit of 20000 bytes already, "
				.. "not of 30000: only a restart changes it$", message)
			plain:flush()
		end)

		it("is a number of bytes", function()
			for _, limit in ipairs({ 0, -1, 1.5, "many", 4095 }) do
				assert.error_matches(function() shared.open("x", { limit = limit }) end,
					"option 'limit' is a number of bytes, 4096 at least")
			end
		end)
	end)
end)
