--- HAProxy with Lua 5.3.  A work's handler is a function of Lua that registers
-- the service `work`, or a table: `lua`, and `frontend`, the lines that use it.

local system = require("bench.lib.system")

local configuration = [[
global
	maxconn 9000
	nbthread 1
	lua-load-per-thread %s/work.lua
defaults
	mode http
	timeout client 75s
	timeout http-request 75s
	timeout http-keep-alive 75s
	timeout connect 5s
	timeout server 75s
frontend work
	bind 127.0.0.1:%d backlog 4096%s
	%s
]]

return {
	title = "HAProxy, Lua",
	order = 3,

	version = function()
		return system.output("haproxy -v"):match("^[^\n]+")
	end,

	command = function(place, handler)
		local parts = type(handler) == "table" and handler
			or { lua = handler, frontend = "http-request use-service lua.work" }
		place:write("work.lua", parts.lua)
		place:write("haproxy.cfg", configuration:format(place.folder, place.port,
			place.secure and " ssl crt " .. place.certificate or "", parts.frontend))
		return ("haproxy -db -f %s/haproxy.cfg"):format(place.folder)
	end,
}
