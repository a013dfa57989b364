--- Finds what somebody may have meant.

-- Optimal string alignment: insertions, deletions, changes and swaps.
local function distance(a, b)
	local rows = { {} }
	for j = 0, #b do
		rows[1][j] = j
	end
	for i = 1, #a do
		local row = { [0] = i }
		rows[i + 1] = row
		for j = 1, #b do
			local above = rows[i]
			local same = a:byte(i) == b:byte(j)
			row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same and 0 or 1))
			local swapped = i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
			if swapped then
				row[j] = math.min(row[j], rows[i - 1][j - 2] + 1)
			end
		end
	end
	return rows[#a + 1][#b]
end

--- Returns the nearest of `names` if it is near enough to be a slip, or nil.
local function nearest(name, names)
	local most = math.max(1, #name // 3)
	local best, least
	for _, candidate in ipairs(names) do
		if math.abs(#name - #candidate) <= most then -- it takes so many changes at least
			local d = distance(name:lower(), candidate:lower())
			if not least or d < least then
				best, least = candidate, d
			end
		end
	end
	if best and least <= most then
		return best
	end
end

--- "" or "; did you mean 'x'?"
local function hint(name, names)
	local best = nearest(name, names)
	return best and ("; did you mean '%s'?"):format(best) or ""
end

return { nearest = nearest, hint = hint }
