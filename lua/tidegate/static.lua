--- See docs/static.md.

local failure = require("tidegate.failure")
local files = require("tidegate.core.files")
local listing = require("tidegate.listing")
local suggest = require("tidegate.suggest")

local kinds = {
	root = "string",
	index = "table",
	listing = "boolean",
	dotfiles = "boolean",
	precompressed = "boolean",
	max_age = "number",
	fallback = "string",
	param = "string",
}

local names = {}
for name in pairs(kinds) do
	names[#names + 1] = name
end

local slash = ("/"):byte()

-- The client's mistakes, and what it is not told more about.
local missing = { ENOENT = true, ENOTDIR = true, ELOOP = true, EXDEV = true, ENAMETOOLONG = true, EINVAL = true }

local function check(options)
	if type(options) ~= "table" then
		error("static takes a table of options, not a " .. type(options), 3)
	end
	for name, value in pairs(options) do
		if not kinds[name] then
			error(("unknown option '%s' of static%s"):format(tostring(name), suggest.hint(tostring(name), names)), 3)
		end
		if type(value) ~= kinds[name] then
			error(("'%s' of static is a %s, not a %s"):format(name, kinds[name], type(value)), 3)
		end
	end
	if not options.root then
		error("static needs a root: the folder it serves", 3)
	end
	local ok, message = files.is_folder(options.root)
	if not ok then
		error("root of static: " .. message, 3)
	end
end

-- No segment but the last may be empty, and none leads elsewhere.
local function is_clean(path, dotfiles)
	local whole = "/" .. path
	return not whole:find("//", 1, true) and not whole:find(dotfiles and "/%.%.?%f[/\0]" or "/.", 1, not dotfiles)
end

local function give_up(message, code)
	if missing[code] then
		failure.raise(404)
	elseif code == "EACCES" then
		failure.raise(403)
	end
	error(message, 0)
end

--- Answers GET and HEAD with the files of a folder.  Options are checked where
-- it is called, so that a mistake refuses the reload.
local function static(options)
	check(options)
	local root, param = options.root, options.param or "path"
	local index = options.index or { "index.html" }
	local file = { root = root, precompressed = options.precompressed }
	local cache = options.max_age and ("public, max-age=%d"):format(options.max_age)

	local function send(response, path)
		local ok, message, code = response:file(path, file)
		if not ok and code ~= "EISDIR" and not missing[code] then
			give_up(message, code)
		end
		return ok, message, code
	end

	-- A folder's own address ends with a slash, or its links would lead astray.
	local function redirect(request, response, path)
		local name = listing.encode(path:match("[^/]*$"))
		response:redirect("./" .. name .. "/" .. (request.target:match("%?.*") or ""), 301)
	end

	local function absent(response, message, code)
		if options.fallback then
			local ok
			ok, message, code = send(response, options.fallback)
			if ok then
				return
			end
		end
		give_up(message, code)
	end

	local function folder(request, response, path)
		local message, code = "no index", "ENOENT"
		for _, name in ipairs(index) do
			if send(response, path .. name) then
				return
			end
		end
		local entries, more
		if options.listing then
			entries, more, code = files.list(root, (path:gsub("/$", "")))
			message = more
		end
		if not entries then
			return absent(response, message, code)
		end
		response.headers["content-type"] = "text/html; charset=utf-8"
		return listing.html(request.path, entries, { more = more, dotfiles = options.dotfiles, top = path == "" })
	end

	local function get(request, response)
		local path = request.params[param]
		if not path then
			error(("static serves routes that end in {%s...}; see docs/static.md"):format(param), 0)
		end
		response.headers["x-content-type-options"] = "nosniff"
		if not is_clean(path, options.dotfiles) then
			failure.raise(404)
		end
		if cache and not response.headers["cache-control"] then
			response.headers["cache-control"] = cache
		end
		if path == "" or path:byte(-1) == slash then
			return folder(request, response, path)
		end
		local ok, message, code = send(response, path)
		if code == "EISDIR" then
			return redirect(request, response, path)
		end
		if not ok then
			absent(response, message, code)
		end
	end

	return { GET = get }
end

return static
