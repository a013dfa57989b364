--- What is in a folder, as a page.

local page = [[
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%s</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 50em; padding: 0 1em }
table { border-spacing: 0; width: 100%% }
td { padding: .1em .5em }
td + td { color: #666; text-align: right; white-space: nowrap }
</style>
<h1>%s</h1>
<table>
%s</table>
%s]]

local row = '<tr><td><a href="%s">%s</a><td>%s<td>%s\n'

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
	return (text:gsub("[&<>\"']", entities))
end

-- One path segment in a URI (RFC 3986, 3.3).
local function encode(name)
	return (name:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- Folders first, then by name.
local function comes_before(a, b)
	if a.kind ~= b.kind then
		return a.kind == "folder"
	end
	return a.name < b.name
end

--- The page of a folder at `path`, as the client sees it.  `options`: more (not
-- all entries are given), dotfiles (show them), top (nothing is above it).
local function html(path, entries, options)
	local rows = { options.top and "" or row:format("../", "../", "", "") }
	table.sort(entries, comes_before)
	for _, entry in ipairs(entries) do
		if options.dotfiles or entry.name:sub(1, 1) ~= "." then
			local slash = entry.kind == "folder" and "/" or ""
			rows[#rows + 1] = row:format(
				"./" .. encode(entry.name) .. slash,
				escape(entry.name) .. slash,
				entry.kind == "file" and entry.size or "",
				os.date("!%Y-%m-%d %H:%M", entry.modified)
			)
		end
	end
	local title = escape(path)
	return page:format(title, title, table.concat(rows), options.more and "<p>… and more\n" or "")
end

return { html = html, encode = encode }
