--- lighttpd with mod_magnet, which runs the same PUC Lua as we do.  A work's
-- handler is the script for all requests, or a table: `config`, what the
-- configuration says in its place, and `files`.

local system = require("bench.lib.system")

local configuration = [[
server.modules = (%s "mod_magnet" )
server.document-root = "%s/public"
server.bind = "127.0.0.1"
server.port = %d
server.listen-backlog = 4096
server.max-fds = 20000
server.max-connections = 9900
server.max-keep-alive-requests = 1000000000
server.max-keep-alive-idle = 75
server.max-request-size = 20480
server.errorlog = "%s/error.log"
server.upload-dirs = ( "%s" )
mimetype.assign = ( ".txt" => "text/plain" )
%s
%s
]]

return {
	title = "lighttpd, mod_magnet (PUC Lua)",
	order = 2,

	version = function()
		return system.output("lighttpd -v"):match("^%S+")
	end,

	command = function(place, handler)
		local parts = type(handler) == "table" and handler
			or {
				config = ('magnet.attract-raw-url-to = ( "%s/work.lua" )'):format(place.folder),
				files = { ["work.lua"] = handler },
			}
		for name, text in pairs(parts.files or {}) do
			place:write(name, text)
		end
		local tls = place.secure
				and ('ssl.engine = "enable"\nssl.pemfile = "%s"\nssl.privkey = "%s"'):format(place.certificate, place.key)
			or ""
		place:write("lighttpd.conf", configuration:format(place.secure and '"mod_openssl",' or "", place.folder,
			place.port, place.folder, place.folder, tls, parts.config:gsub("FOLDER", place.folder)))
		return ("lighttpd -D -f %s/lighttpd.conf"):format(place.folder)
	end,
}
