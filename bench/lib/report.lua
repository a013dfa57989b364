--- The results as a page of Markdown.

local function number(value, digits)
	return value and ("%." .. digits .. "f"):format(value) or ""
end

local function row_of(work, result)
	local cells = { result.title }
	for _, column in ipairs(work.columns) do
		cells[#cells + 1] = number(result.median[column.key], column.digits)
	end
	cells[#cells + 1] = number(result.ratio, 2)
	cells[#cells + 1] = ("%.0f %%%s"):format(result.spread * 100, result.noisy and ", noisy" or "")
	return "| " .. table.concat(cells, " | ") .. " |"
end

local function table_of(work)
	local titles = { "server" }
	for _, column in ipairs(work.columns) do
		titles[#titles + 1] = column.title
	end
	titles[#titles + 1] = "ratio"
	titles[#titles + 1] = "spread"
	local lines = {
		"## " .. work.title .. "\n",
		work.about .. "\n",
		"| " .. table.concat(titles, " | ") .. " |",
		"|---" .. ("|--:"):rep(#titles - 1) .. "|",
	}
	for _, result in ipairs(work.results) do
		lines[#lines + 1] = row_of(work, result)
	end
	for _, left in ipairs(work.left_out) do
		lines[#lines + 1] = ("\n`%s` is left out: %s"):format(left.peer, left.why:gsub("%s+", " "))
	end
	return table.concat(lines, "\n") .. "\n"
end

-- What share of all figures comes from rounds that are too far apart.
local function noise(run)
	if run.rounds == 1 then
		return "**One round does not show how noisy it was: ask for more.**"
	end
	local noisy, all = 0, 0
	for _, work in ipairs(run.works) do
		for _, result in ipairs(work.results) do
			noisy, all = noisy + (result.noisy and 1 or 0), all + 1
		end
	end
	local verdict = "The rounds agree."
	if noisy > all / 4 then
		verdict = "**This run was too noisy: repeat it on a machine that does nothing else.**"
	elseif noisy > 0 then
		verdict = "What is marked as noisy needs another run."
	end
	return ("%d of %d figures come from rounds more than 10 %% apart. %s"):format(noisy, all, verdict)
end

--- The page: `chart` is the name of the file with the picture.
local function markdown(run, chart)
	local machine = run.machine
	local lines = {
		"# Side by side, " .. run.date .. "\n",
		("%s, %d cores, %d MB; %s, %s. Load %.1f before it began. %d rounds of %d s; medians.\n"):format(
			machine.processor, machine.cores, machine.memory_mb, machine.kernel, machine.system, machine.load_before,
			run.rounds, run.seconds),
		noise(run) .. "\n",
		"CPU is processor time per request, of the server's whole process tree. *ratio* is Tidegate's first column by "
			.. "this server's: below 1, Tidegate needs less. *spread* is how far the rounds' first column is apart.\n",
		("![CPU per request, beside Tidegate's](%s)\n"):format(chart),
		"| server | version |\n|---|---|",
	}
	for _, peer in ipairs(run.peers) do
		lines[#lines + 1] = ("| %s | %s |"):format(peer.title, peer.version)
	end
	lines[#lines + 1] = ""
	for _, work in ipairs(run.works) do
		lines[#lines + 1] = table_of(work)
	end
	return table.concat(lines, "\n")
end

return { markdown = markdown }
