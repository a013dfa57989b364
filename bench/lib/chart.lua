--- The ratios as a picture: a bar for each work and server, as long as its CPU
-- per request is beside Tidegate's.

local colours = {
	tidegate = "#0b6e99",
	nginx_lua = "#2e8b57",
	lighttpd = "#b8860b",
	haproxy = "#8a5fb5",
	apache = "#c0504d",
	nginx_njs = "#7aa87a",
	node = "#66803a",
	lua_http = "#d08040",
	floor = "#888888",
}

local left, scale, bar, most = 230, 120, 12, 5 -- pixels; a bar ends at `most` times ours

local function escape(text)
	return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function draw_bar(y, result)
	local times = 1 / result.ratio
	local width = math.min(times, most) * scale
	return ([[
<text x="%d" y="%d" text-anchor="end">%s</text>
<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>
<text x="%.1f" y="%d">%.2f%s, %.1f µs</text>
]]):format(left - 6, y + bar - 2, escape(result.title), left, y, width, bar - 2, colours[result.peer] or "#555555",
		left + width + 5, y + bar - 2, times, times > most and " (cut)" or "", result.median.cpu_us)
end

local function draw_work(y, work)
	local parts = { ('<text x="%d" y="%d" font-weight="bold">%s</text>\n'):format(left, y + 12, escape(work.title)) }
	y = y + 18
	for _, result in ipairs(work.results) do
		if result.ratio then
			parts[#parts + 1] = draw_bar(y, result)
			y = y + bar
		end
	end
	return table.concat(parts), y + 10
end

--- The picture of all works that measure CPU per request, as SVG.
local function svg(run)
	local parts, y = {}, 30
	for _, work in ipairs(run.works) do
		if work.columns[1].key == "cpu_us" and #work.results > 0 then
			parts[#parts + 1], y = draw_work(y, work)
		end
	end
	local width = left + most * scale + 150
	return ([[
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="10">
<rect width="100%%" height="100%%" fill="white"/>
<text x="%d" y="18" font-size="13">CPU per request, beside Tidegate's (shorter is better)</text>
<line x1="%d" y1="26" x2="%d" y2="%d" stroke="#0b6e99" stroke-dasharray="3 3"/>
%s</svg>
]]):format(width, y, left, left + scale, left + scale, y, table.concat(parts))
end

return { svg = svg }
