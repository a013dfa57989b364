-- The examples of README and docs/: what a page shows is what happens.
-- A block of lua or html whose first line names a file is that file of a
-- project; the commands of the console blocks are run in order, and their output compared.

local projects = require("tests.support.project")
local server = require("tests.support.server")

local function read(path)
	local file = assert(io.open(path))
	local text = file:read("a")
	file:close()
	return text
end

local function blocks(text)
	return text:gmatch("\n```(%w+)\n(.-)\n```%f[^`]")
end

-- { files =, steps = { { command =, output = }, ... } } of a page
local function examples(text)
	local files, steps = {}, {}
	for kind, block in blocks("\n" .. text) do
		local name = kind == "lua" and block:match("^%-%- (%S+%.lua)%f[%s]")
			or kind == "html" and block:match("^<!%-%- (%S+%.html) %-%->")
		if name then
			files[name] = block .. "\n"
		elseif kind == "console" then
			for line in (block .. "\n"):gmatch("(.-)\n") do
				local command, last = line:match("^%$ (.*)$"), steps[#steps]
				if command then
					steps[#steps + 1] = { command = command, output = "" }
				elseif last and last.command:find("\\$") and last.output == "" then
					last.command = last.command:gsub("\\$", "") .. line
				elseif last then
					last.output = last.output .. line .. "\n"
				end
			end
		end
	end
	return { files = files, steps = steps }
end

local function trimmed(text)
	return (text:gsub("\r", ""):gsub("%s+$", ""))
end

local function run(command, port)
	local line = command:gsub("localhost:8080", "localhost:" .. port):gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port)
	local pipe = assert(io.popen("curl() { command curl -sS \"$@\"; }\n" .. line .. " 2>/dev/null"))
	local output = pipe:read("a")
	pipe:close()
	return (output:gsub("(//[%w.]+):" .. port, "%1:8080"))
end

local function pages()
	local pipe = assert(io.popen("ls docs/*.md"))
	local list = pipe:read("a")
	pipe:close()
	return list:gmatch("[^\n]+")
end

describe("the examples of", function()
	for page in pages() do
		local page_examples = examples(read(page))
		if #page_examples.steps > 0 then
			it(page .. " answer as printed", function()
				local gateway = server.start({ files = page_examples.files })
				for _, step in ipairs(page_examples.steps) do
					if step.command:find("curl", 1, true) then
						assert.equal(trimmed(step.output), trimmed(run(step.command, gateway.port)), step.command)
					end
				end
				gateway:stop()
			end)
		end
	end
end)

describe("README.md", function()
	it("shows what the examples in handlers/ answer", function()
		local readme = examples(read("README.md"))
		local project = projects.new()
		os.execute("cp -r handlers " .. projects.quote(project.path))
		for name, text in pairs(readme.files) do
			project:write(name, text)
		end
		local gateway = server.start({ project = project, threads = 2 })
		local ran = 0
		for _, step in ipairs(readme.steps) do
			if step.command:find("^curl") then
				assert.equal(trimmed(step.output), trimmed(run(step.command, gateway.port)), step.command)
				ran = ran + 1
			end
		end
		assert.is_true(ran > 0, "no command was run")
		gateway:stop()
		project:delete()
	end)

	it("stays within 150 lines", function()
		assert.is_true(select(2, read("README.md"):gsub("\n", "")) <= 150)
	end)
end)
