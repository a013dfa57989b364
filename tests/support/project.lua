--- A project folder of its own for a test.

local project_methods = {}
local project_mt = { __name = "project", __index = project_methods }

local function quote(text)
	return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Writes a file whole or not at all: nobody ever reads half of it.
function project_methods:write(name, text)
	local path = self.path .. "/" .. name
	local folder = name:match("^(.*)/")
	if folder and not self.folders[folder] then
		assert(os.execute("mkdir -p " .. quote(self.path .. "/" .. folder)))
		self.folders[folder] = true
	end
	local temporary = self.path .. "/.writing"
	local file = assert(io.open(temporary, "w"))
	assert(file:write(text))
	assert(file:close())
	assert(os.rename(temporary, path))
end

function project_methods:remove(name)
	assert(os.remove(self.path .. "/" .. name))
end

--- Removes the whole folder.
function project_methods:delete()
	assert(self.path:find("^/tmp/tidegate%."))
	os.execute("rm -rf " .. quote(self.path))
end

--- `files` maps names to texts.
local function new(files)
	local pipe = assert(io.popen("mktemp -d /tmp/tidegate.XXXXXX"))
	local path = pipe:read("l")
	pipe:close()
	local project = setmetatable({ path = path, folders = {} }, project_mt)
	os.execute("mkdir " .. quote(path .. "/handlers"))
	for name, text in pairs(files or {}) do
		project:write(name, text)
	end
	return project
end

return { new = new, quote = quote }
