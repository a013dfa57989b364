--- lua-http on cqueues, run by Lua 5.1, which is what Debian has it
-- for beside nginx's LuaJIT.  A work's handler is Lua that sets
-- `answer = function(stream, head, headers) end`: `headers` is lua-http's own
-- object, to which it adds.

local system = require("bench.lib.system")

local program = [[
local new_headers = require("http.headers").new
local server = require("http.server")
local cqueues = require("cqueues")
local answer
%s
local context
%s
assert(server.listen {
	host = "127.0.0.1",
	port = %d,
	max_concurrent = 15000,
	connection_setup_timeout = 75,
	intra_stream_timeout = 75,
	tls = context ~= nil,
	ctx = context,
	version = 1.1,
	onstream = function(_, stream)
		local head = assert(stream:get_headers())
		answer(stream, head, new_headers())
	end,
	onerror = function() end, -- clients that leave
}):loop()
]]

local secure = [[
do
	local x509, pkey = require("openssl.x509"), require("openssl.pkey")
	local function text(path)
		local file = assert(io.open(path))
		return file:read("*a"), file:close()
	end
	context = require("http.tls").new_server_context()
	context:setCertificate(x509.new((text(%q))))
	context:setPrivateKey(pkey.new((text(%q))))
end
]]

return {
	title = "lua-http (PUC Lua 5.1)",
	order = 7,

	version = function()
		return "lua-http " .. system.output("dpkg-query -W -f '${Version}' lua-http")
	end,

	command = function(place, handler)
		place:write("work.lua", program:format(handler,
			place.secure and secure:format(place.certificate, place.key) or "", place.port))
		return ("lua5.1 %s/work.lua"):format(place.folder)
	end,
}
