--- The command line of bench/run.

local usage = [[
usage: bench/run [--quick] [--works a,b] [--peers x,y] [--rounds N] [--seconds N] [--name NAME]

  --quick      3 rounds of 1 second in place of 7 of 3
  --works      only these; they are the files of bench/works
  --peers      only these, beside Tidegate; they are the files of bench/peers
  --rounds     how often each server has its turn
  --seconds    how long a turn lasts, in whole seconds
  --name       what the results are called: bench/results/NAME.json, .md, .svg
]]

local function split(text)
	local list = {}
	for word in text:gmatch("[^,%s]+") do
		list[#list + 1] = word
	end
	return list
end

local function whole_number(text)
	local number = math.tointeger(tonumber(text))
	return number and number > 0 and number or nil
end

local readers = {
	["--works"] = { "works", split },
	["--peers"] = { "peers", split },
	["--rounds"] = { "rounds", whole_number },
	["--seconds"] = { "seconds", whole_number },
	["--name"] = { "name", tostring },
}

--- Returns the options, or nil and what to print.
local function parse(words)
	local options, at = {}, 1
	while words[at] do
		local reader = readers[words[at]]
		if words[at] == "--quick" then
			options.quick = true
		elseif reader and words[at + 1] then
			options[reader[1]] = reader[2](words[at + 1])
			if not options[reader[1]] then
				return nil, usage
			end
			at = at + 1
		else
			return nil, usage
		end
		at = at + 1
	end
	options.rounds = options.rounds or (options.quick and 3 or 7)
	options.seconds = options.seconds or (options.quick and 1 or 3)
	options.name = options.name or "latest"
	if options.peers then
		table.insert(options.peers, 1, "tidegate")
	end
	return options
end

return { parse = parse }
