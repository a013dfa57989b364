--- Apache with mod_lua: one process with threads, since a handler holds its
-- thread.  A work's handler is the script, which has a function `handle`, or a
-- table: `config`, and `files`.

local system = require("bench.lib.system")

local configuration = [[
ServerRoot "/usr/lib/apache2"
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule mime_module modules/mod_mime.so
LoadModule lua_module modules/mod_lua.so
%s
ServerName localhost
PidFile %s/apache.pid
ErrorLog %s/error.log
LogLevel error
Listen 127.0.0.1:%d
ListenBacklog 4096
StartServers 1
ServerLimit 1
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 64
MinSpareThreads 64
MaxSpareThreads 64
AsyncRequestWorkerFactor 300
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
TypesConfig /dev/null
DocumentRoot %s/public
User www-data
Group www-data
LuaScope thread
LuaCodeCache forever
LuaPackagePath /usr/share/lua/5.3/?.lua
%s
%s
]]

return {
	title = "Apache, mod_lua (PUC Lua 5.3)",
	order = 4,

	version = function()
		return system.output("apache2 -v"):match("version: (%S+)")
	end,

	command = function(place, handler)
		local parts = type(handler) == "table" and handler
			or {
				config = ('LuaMapHandler "^/" "%s/work.lua" handle'):format(place.folder),
				files = { ["work.lua"] = handler },
			}
		for name, text in pairs(parts.files or {}) do
			place:write(name, text)
		end
		local folder = place.folder
		local load = place.secure
				and "LoadModule socache_shmcb_module modules/mod_socache_shmcb.so\nLoadModule ssl_module modules/mod_ssl.so"
			or ""
		local tls = place.secure
				and ("SSLEngine on\nSSLSessionCache shmcb:%s/tls\nSSLCertificateFile %s\nSSLCertificateKeyFile %s"):format(
					folder, place.certificate, place.key)
			or ""
		place:write("apache.conf", configuration:format(load, folder, folder, place.port, folder, tls,
			(parts.config:gsub("FOLDER", folder))))
		return ("apache2 -DFOREGROUND -f %s/apache.conf"):format(folder)
	end,
}
