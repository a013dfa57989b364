-- The floors of src/: a file includes its own floor and those below, never
-- above; each foreign library stays on its floor.

local floors = {
	{ "base" },
	{ "shared", "net" },
	{ "http", "script" },
	{ "bind" },
	{ "worker" },
	{ "master" },
	{ "cli" },
}
local across = { -- what a floor may use of one beside or below, but no more
	cli = { base = true, master = true, worker = true, script = { "script/settings.h" } },
	master = { base = true, worker = true },
	http = { base = true, net = true, shared = true },
	script = { base = true },
}
local system = { -- which folders may include a foreign library
	["<l[ua][aux]"] = { script = true, bind = true },
	["<event2/"] = { net = true, http = true },
	["<openssl/"] = { net = "^src/net/tls" }, -- and which of its files
	["<sqlite3"] = { shared = "^src/shared/store%.c" },
	["<zlib"] = { http = true },
	["<brotli/"] = { http = true },
	["<zstd"] = { http = true },
	["<pthread"] = { shared = true, worker = true, script = {} },
}
local calls = { -- where alone a function may be called
	["lua_resume%("] = "script",
	["lua_pcallk?%("] = "script",
	["pthread_mutex_"] = "shared",
}

local height = {}
for level, folders in ipairs(floors) do
	for _, folder in ipairs(folders) do
		height[folder] = level
	end
end

local function lines_of(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read("a")
	pipe:close()
	return text:gmatch("[^\n]+")
end

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

local function holds(list, item)
	for _, other in ipairs(list) do
		if other == item then
			return true
		end
	end
	return false
end

local function may_include(folder, target, header)
	local allowed = across[folder]
	if not allowed then
		return height[target] < height[folder]
	end
	return allowed[target] == true or type(allowed[target]) == "table" and holds(allowed[target], header)
end

local function line_count(path)
	return select(2, read(path):gsub("\n", ""))
end

describe("src/", function()
	for path in lines_of("find src -mindepth 2 -name '*.[ch]' | sort") do
		local folder = path:match("^src/([^/]+)/")

		it(path .. " includes only its own floor and those below", function()
			for line in io.lines(path) do
				local header, target = line:match('^#include "(([^/"]+)/[^"]+)"')
				if target and target ~= folder then
					assert.is_true(may_include(folder, target, header), line)
				end
			end
		end)

		it(path .. " includes only the libraries of its floor", function()
			for line in io.lines(path) do
				for prefix, allowed in pairs(system) do
					if line:match("^#include " .. prefix) then
						local where = allowed[folder]
						assert.is_truthy(type(where) == "string" and path:find(where) or where == true, line)
					end
				end
			end
		end)

		it(path .. " resumes, protects and locks only on the floor for it", function()
			for line in io.lines(path) do
				for call, floor in pairs(calls) do
					assert.is_true(folder == floor or not line:match("%f[%w_]" .. call), line)
				end
			end
		end)
	end

	for path in lines_of("find src lua tests bench handlers -name '*.[ch]' -o -name '*.lua' | sort") do
		it(path .. " is at most 500 lines", function()
			local count = line_count(path)
			assert.is_true(count <= 500, count .. " lines")
		end)
	end
end)

describe("docs/", function()
	local pages = {
		buffer = { "buffer" },
		channel = { "channel" },
		dns = { "dns" },
		headers = { "headers" },
		http = { "reply", "reply_content" },
		log = { "log" },
		multipart = { "multipart", "part" },
		request = { "request", "request_body", "request_form" },
		response = { "response", "response_cookie" },
		shared = { "shared", "shared_all", "shared_list" },
		socket = { "socket", "udp" },
		task = { "task", "semaphore", "queue", "event" },
		timer = { "timer" },
	}
	for page, sources in pairs(pages) do
		it(page .. ".md names every function of its object", function()
			local text = read("docs/" .. page .. ".md")
			for _, source in ipairs(sources) do
				for name in read("src/bind/" .. source .. ".c"):gmatch('{"([%l][%l_]*)", [%w_]+}') do
					assert.is_truthy(text:find("%f[%w_]" .. name .. "%f[^%w_]"), name)
				end
			end
		end)
	end

	it("settings.md names every setting", function()
		local text = read("docs/settings.md")
		for name in read("src/base/settings.c"):gmatch('\n    {"([%l_]+)"') do
			assert.is_truthy(text:find(name, 1, true), name)
		end
	end)

	it("links only to what is there", function()
		for path in lines_of("ls README.md CONTRIBUTING.md docs/*.md") do
			local folder = path:match("^(.*/)") or ""
			for target in read(path):gmatch("%]%(([^)#:]+)[^):]*%)") do
				assert.is_true(os.execute("test -e '" .. folder .. target .. "'"), path .. ": " .. target)
			end
		end
	end)
end)
