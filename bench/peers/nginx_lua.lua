--- nginx with its Lua module, which runs LuaJIT.  A work's handler is what
-- stands in `server { }`, or a table: `server`, and `http` for what stands
-- around it.

local system = require("bench.lib.system")

local modules = "/usr/share/nginx/modules-available/mod-http-"

local configuration = [[
include %s;
include %s;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid %s/nginx.pid;
error_log %s/error.log error;
events { worker_connections 15000; }
http {
	access_log off;
	keepalive_requests 1000000000;
	sendfile on;
	tcp_nopush on;
	default_type text/plain;
	client_body_temp_path %s/body;
	proxy_temp_path %s/proxy;
	fastcgi_temp_path %s/fastcgi;
	uwsgi_temp_path %s/uwsgi;
	scgi_temp_path %s/scgi;
	lua_package_path "%s/?.lua;;";
	%s
	server {
		listen 127.0.0.1:%d backlog=4096%s;
		root %s/public;
		%s
	}
}
]]

local function secure(place)
	return place.secure
			and ("ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;"):format(
				place.certificate, place.key)
		or ""
end

return {
	title = "nginx, Lua module (LuaJIT)",
	order = 1,

	version = function()
		local module = system.output("dpkg-query -W -f '${Version}' libnginx-mod-http-lua")
		return system.output("nginx -v 2>&1") .. ", libnginx-mod-http-lua " .. module
	end,

	command = function(place, handler)
		local parts = type(handler) == "table" and handler or { server = handler }
		local folder = place.folder
		for name, text in pairs(parts.files or {}) do
			place:write(name, text)
		end
		place:write("nginx.conf", configuration:format(modules .. "ndk.conf", modules .. "lua.conf", folder, folder,
			folder, folder, folder, folder, folder, folder, parts.http or "", place.port, place.secure and " ssl" or "",
			folder, secure(place) .. parts.server:gsub("FOLDER", folder)))
		return ("nginx -c %s/nginx.conf"):format(folder)
	end,
}
