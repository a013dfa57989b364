--- The few statistics that rounds need.

local function sorted(list)
	local copy = table.move(list, 1, #list, 1, {})
	table.sort(copy)
	return copy
end

--- The middle one; of two, their mean.
local function median(list)
	local copy = sorted(list)
	local half = #copy // 2
	return #copy % 2 == 1 and copy[half + 1] or (copy[half] + copy[half + 1]) / 2
end

--- How far the rounds are apart: greatest less least, by the median.
local function spread(list)
	local copy = sorted(list)
	local middle = median(copy)
	return middle ~= 0 and (copy[#copy] - copy[1]) / middle or 0
end

--- The value that the given share of the list is not above.
local function percentile(list, share)
	local copy = sorted(list)
	return copy[math.max(1, math.ceil(#copy * share))]
end

--- The median of ratios of what stands in the same round.
local function ratio(above, below)
	local ratios = {}
	for round, value in ipairs(above) do
		ratios[#ratios + 1] = value / below[round]
	end
	return median(ratios)
end

--- A column of a list of tables.
local function column(rows, key)
	local list = {}
	for i, row in ipairs(rows) do
		list[i] = row[key]
	end
	return list
end

return { median = median, spread = spread, percentile = percentile, ratio = ratio, column = column }
