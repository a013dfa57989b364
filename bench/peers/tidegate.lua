--- Ourselves.  A work's handler is a table of the project's files; `flags`, if
-- it has any, go to the command line.

local system = require("bench.lib.system")

local program = os.getenv("TIDEGATE") or "build/release/tidegate"

local settings = [[
return {
	listen = { { "127.0.0.1:%d"%s } },
	threads = 1,
	log_level = "warn",
}
]]

return {
	title = "Tidegate",
	order = 0,

	version = function()
		return system.output(program .. " version"):gsub("\n", ", ")
	end,

	command = function(place, files)
		for name, text in pairs(files) do
			place:write(name, text)
		end
		local tls = place.secure and (", tls = { %q, %q }"):format(place.certificate, place.key) or ""
		place:write("tidegate.lua", settings:format(place.port, tls))
		return ("%s serve %s"):format(program, system.quote(place.folder))
	end,
}
