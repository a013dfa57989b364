local place = require("tidegate.place")

local function here() end
local file = debug.getinfo(here, "S").short_src
local line = debug.getinfo(here, "S").linedefined
local at = ("%s:%d"):format(file, line)

describe("tidegate.place completes a traceback", function()
	local function complete(text)
		return place.complete(text, here)
	end

	it("that a tail call has made blind", function()
		assert.equal(at .. ": no\nstack traceback:\n\t[C]: in function 'x'\n\t(...tail calls...)\n\t" .. at
			.. ": in the handler that begins here\n\t[C]: in ?",
			complete("no\nstack traceback:\n\t[C]: in function 'x'\n\t(...tail calls...)\n\t[C]: in ?"))
	end)

	it("within layers of middleware, not within our own tail calls", function()
		local frames = "\nstack traceback:\n\ttidegate:lua/tidegate/http.lua:1: in function <a>\n\t(...tail calls...)\n\t"
			.. "tidegate:lua/tidegate/http.lua:2: in function <b>\n\t(...tail calls...)%s\n\t"
			.. "[C]: in local 'next'\n\thandlers/_middleware.lua:7: in function <c>\n\t(...tail calls...)\n\t[C]: in ?"
		assert.equal(at .. ": no" .. frames:format("\n\t" .. at .. ": in the handler that begins here"),
			complete("tidegate:lua/tidegate/http.lua:3: no" .. frames:format("")))
	end)

	it("with the user's line in place of one of ours", function()
		local frames = ("\nstack traceback:\n\t[C]: in function 'x'\n\ttidegate:lua/tidegate/x.lua:3: in function <a>\n\t"
			.. "%s:9: in function <b>"):format(file)
		assert.equal(file .. ":9: no" .. frames, complete("tidegate:lua/tidegate/x.lua:3: no" .. frames))
	end)

	it("but not one that has the handler's line", function()
		for _, text in ipairs({
			("no\nstack traceback:\n\t%s:3: in function <a>\n\t(...tail calls...)\n\t[C]: in ?"):format(file),
			("%s:3: no\nstack traceback:\n\t%s:3: in function <a>\n\t[C]: in ?"):format(file, file),
			"no", "",
		}) do
			assert.equal(text, complete(text))
		end
	end)

	it("but leaves a place in another file", function()
		assert.matches("^lua/x.lua:1: no\nstack traceback:\n\t%(...tail calls...%)\n\t" .. at:gsub("%W", "%%%0") .. ": in the handler",
			complete("lua/x.lua:1: no\nstack traceback:\n\t(...tail calls...)\n\t[C]: in ?"))
	end)

	it("of a handler in C not at all", function()
		local text = "no\nstack traceback:\n\t(...tail calls...)"
		assert.equal(text, place.complete(text, print))
	end)
end)
