-- tidegate.static: a folder as routes.

local around = require("tests.support.around")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local files = {
	["handlers/site/{path...}.lua"] = "return require('tidegate.static') { root = 'public' }",
	["handlers/list/{path...}.lua"] = "return require('tidegate.static') { root = 'public', listing = true, index = {} }",
	["handlers/open/{path...}.lua"] = [[
		return require("tidegate.static") {
			root = "public", dotfiles = true, listing = true, max_age = 3600, index = { "none.html", "a.txt" },
		}]],
	["handlers/app/{rest...}.lua"] = "return require('tidegate.static') { root = 'public', param = 'rest', fallback = 'index.html' }",
	["handlers/packed/{path...}.lua"] = "return require('tidegate.static') { root = 'public', precompressed = true }",
	["handlers/plain.lua"] = "return require('tidegate.static') { root = 'public' }",
	["public/index.html"] = "<p>top",
	["public/a.txt"] = "tide\n",
	["public/a.txt.gz"] = "packed",
	["public/sub/index.html"] = "<p>sub",
	["public/sub/deep/b.txt"] = "ebb\n",
	["public/sub/we <i>rd?&\"#%.txt"] = "odd\n",
	["public/100%/x"] = "x",
	["public/.secret/key"] = "secret",
	["public/.hidden"] = "hidden",
	["secret.txt"] = "outside",
}

describe("tidegate.static", function()
	local gateway, connection
	around({ files = files }, function(g, c)
		gateway, connection = g, c
	end)

	local function get(target, headers, method)
		return connection:fetch(method or "GET", target, headers)
	end

	it("serves files, and a folder's index", function()
		for target, body in pairs({
			["/site/"] = "<p>top", ["/site/index.html"] = "<p>top", ["/site/a.txt"] = "tide\n", ["/site/sub/"] = "<p>sub",
			["/site/sub/deep/b.txt"] = "ebb\n", ["/site/sub/we%20%3Ci%3Erd%3F%26%22%23%25.txt"] = "odd\n",
			["/site/sub/../a.txt"] = "tide\n", ["/open/"] = "tide\n",
		}) do
			local response = get(target)
			assert.same({ 200, body }, { response.status, response.body }, target)
			assert.equal("nosniff", response.headers["x-content-type-options"])
		end
		assert.equal("text/html; charset=utf-8", get("/site/").headers["content-type"])
	end)

	it("answers HEAD, conditions and ranges", function()
		local etag = get("/site/a.txt").headers.etag
		assert.equal("5", get("/site/a.txt", nil, "HEAD").headers["content-length"])
		assert.equal(304, get("/site/a.txt", { "If-None-Match: " .. etag }).status)
		assert.equal("ide", get("/site/a.txt", { "Range: bytes=1-3" }).body)
	end)

	it("answers no other method", function()
		local response = connection:fetch("POST", "/site/a.txt", nil, "x")
		assert.same({ 405, "GET, HEAD, OPTIONS" }, { response.status, response.headers.allow })
	end)

	it("lets nothing lead out of its root, nor to what is hidden", function()
		local folder = projects.quote(gateway.project.path .. "/public")
		os.execute(("cd %s && ln -sf ../secret.txt out && ln -sf / rootfs && ln -sf a.txt in && mkfifo pipe"):format(folder))
		assert.equal("tide\n", get("/site/in").body)
		for _, target in ipairs({
			"/site/out", "/site/rootfs/etc/passwd", "/site/../secret.txt", "/site/%2e%2e/secret.txt", "/site/..%2fsecret.txt",
			"/site/%2e%2e%2fsecret.txt", "/site//etc/passwd", "/site/%2fetc/passwd", "/site/sub/..%2f..%2fsecret.txt",
			"/site/..\\secret.txt", "/site/..%5csecret.txt", "/site/.hidden", "/site/.secret/key", "/site/%2ehidden",
			"/site/sub//index.html", "/site/a.txt/", "/site/none", "/site/none/", "/site/pipe", "/site/" .. ("x"):rep(300),
			"/site/%252e%252e/secret.txt", "/site/....//secret.txt", "/site/sub/deep/", "/site/a.txt%2f",
		}) do
			local response = get(target)
			assert.equal(404, response.status, target)
			assert.is_nil(response.body:find("outside", 1, true))
		end
		assert.equal(400, gateway:get("/site/a.txt%00.html").status)
		for _, target in ipairs({ "/site/.hidden", "/site/none", "/site/sub/deep/", "/site/sub" }) do
			assert.equal("nosniff", get(target).headers["x-content-type-options"])
		end
		assert.equal("hidden", get("/open/.hidden").body)
		assert.equal("secret", get("/open/.secret/key").body)
	end)

	it("sends a folder's name to the folder, and nowhere else", function()
		for target, location in pairs({
			["/site/sub"] = "./sub/", ["/site/sub?a=b&c"] = "./sub/?a=b&c", ["/site/100%25"] = "./100%25/",
			["/site/sub/../sub"] = "./sub/",
		}) do
			local response = get(target)
			assert.same({ 301, location }, { response.status, response.headers.location }, target)
		end
		assert.equal(404, get("/site//evil.test/sub").status)
	end)

	it("lists a folder if that is wanted", function()
		local page = get("/list/sub/")
		assert.equal("text/html; charset=utf-8", page.headers["content-type"])
		local links = {}
		for link in page.body:gmatch('href="([^"]*)"') do
			links[#links + 1] = link
		end
		assert.same({ "../", "./deep/", "./index.html", "./we%20%3Ci%3Erd%3F%26%22%23%25.txt" }, links)
		assert.is_truthy(page.body:find("we &lt;i&gt;rd?&amp;&quot;#%.txt", 1, true))
		assert.is_nil(page.body:find("<i>", 1, true))
		assert.equal("odd\n", get("/list/sub/" .. links[4]:sub(3)).body)
		local top = get("/list/").body
		assert.is_nil(top:find("../", 1, true))
		assert.is_nil(top:find(".hidden", 1, true))
		assert.is_nil(top:find("out<", 1, true), "a link that leads out")
		assert.is_truthy(get("/open/.secret/").body:find(">key<", 1, true))
		assert.equal(404, get("/site/sub/deep/").status)
	end)

	it("lists no more than 10,000 names, and says so", function()
		local folder = projects.quote(gateway.project.path .. "/public/many")
		os.execute(("mkdir %s && cd %s && seq 10000 | xargs touch"):format(folder, folder))
		local function count(page)
			return select(2, page:gsub('href="%./', "")), page:find("and more", 1, true) ~= nil
		end
		assert.same({ 10000, false }, { count(get("/list/many/").body) })
		os.execute("touch " .. folder .. "/10001")
		assert.same({ 10000, true }, { count(get("/list/many/").body) })
	end)

	it("falls back to a page of an application, for what is not there", function()
		for _, target in ipairs({ "/app/", "/app/settings/profile", "/app/settings/", "/app/sub/deep/", "/app/none.js" }) do
			local response = get(target)
			assert.same({ 200, "<p>top" }, { response.status, response.body }, target)
		end
		assert.equal("tide\n", get("/app/a.txt").body)
	end)

	it("says how long it may be kept, but not a failure", function()
		assert.equal("public, max-age=3600", get("/open/a.txt").headers["cache-control"])
		assert.is_nil(get("/open/none").headers["cache-control"])
		assert.is_nil(get("/site/a.txt").headers["cache-control"])
	end)

	it("sends what was compressed before", function()
		os.execute("touch " .. projects.quote(gateway.project.path .. "/public/a.txt.gz"))
		local response = get("/packed/a.txt", { "Accept-Encoding: gzip" })
		assert.same({ "packed", "gzip" }, { response.body, response.headers["content-encoding"] })
		assert.equal("tide\n", get("/packed/a.txt").body)
	end)

	it("tells a route that has no such parameter", function()
		assert.equal(500, gateway:get("/plain").status)
		gateway:wait_log("static serves routes that end in {path...}; see docs/static.md", 1)
	end)

	local mistakes = {
		["{ root = 'nowhere' }"] = "root of static: .*/nowhere: No such file or directory",
		["{ root = 'secret.txt' }"] = "root of static: .*/secret.txt: Not a directory",
		["{ rot = 'public' }"] = "unknown option 'rot' of static; did you mean 'root'?",
		["{}"] = "static needs a root: the folder it serves",
		["{ root = 1 }"] = "'root' of static is a string, not a number",
		["{ root = 'public', index = 'a' }"] = "'index' of static is a table, not a string",
		["'public'"] = "static takes a table of options, not a string",
	}
	for options, message in pairs(mistakes) do
		it("refuses to load with " .. options, function()
			gateway.project:write("handlers/wrong.lua", "local static = require('tidegate.static')\nlocal route = static(" .. options .. ")\nreturn route")
			local _, errors, code = program.run("reload", gateway.project.path)
			gateway.project:remove("handlers/wrong.lua")
			assert.equal(1, code)
			assert.matches("handlers/wrong.lua:2: " .. message, errors)
		end)
	end
end)

describe("tidegate.static as a user who may not read everything", function()
	it("says 403 for what it may not read", function()
		local project = projects.new(files)
		local path = projects.quote(project.path)
		assert(os.execute(("cd %s && chmod 777 . && chmod 000 public/a.txt && chmod 600 public/sub"):format(path)))
		local is_root = os.execute(("head -c1 %s/public/a.txt >/dev/null 2>&1"):format(path))
		local gateway = server.start({
			project = project,
			environment = is_root and "setpriv --reuid 65534 --regid 65534 --clear-groups" or nil,
		})
		assert.equal(403, gateway:get("/site/a.txt").status)
		assert.equal(403, gateway:get("/site/sub/").status)
		assert.equal(200, gateway:get("/site/").status)
		gateway:stop()
		os.execute(("chmod -R u+rwX %s"):format(path))
		project:delete()
	end)
end)
