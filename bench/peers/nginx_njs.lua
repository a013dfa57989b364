--- nginx with njs.  A work's handler is a table: `js`, a module whose functions
-- `server`, what stands in `server { }`, names; or just the module, whose
-- function `answer` answers everything.

local system = require("bench.lib.system")

local configuration = [[
load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid %s/nginx.pid;
error_log %s/error.log error;
events { worker_connections 15000; }
http {
	access_log off;
	keepalive_requests 1000000000;
	default_type text/plain;
	client_max_body_size 20m;
	client_body_buffer_size 11m;
	client_body_temp_path %s/body;
	proxy_temp_path %s/proxy;
	fastcgi_temp_path %s/fastcgi;
	uwsgi_temp_path %s/uwsgi;
	scgi_temp_path %s/scgi;
	js_path %s;
	js_import work from work.js;
	server {
		listen 127.0.0.1:%d backlog=4096%s;
		%s
	}
}
]]

local everything = "location / { js_content work.answer; }"

local function secure(place)
	return place.secure
			and ("ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;"):format(
				place.certificate, place.key)
		or ""
end

return {
	title = "nginx, njs",
	order = 5,

	version = function()
		local module = system.output("dpkg-query -W -f '${Version}' libnginx-mod-http-js")
		return system.output("nginx -v 2>&1") .. ", libnginx-mod-http-js " .. module
	end,

	command = function(place, handler)
		local parts = type(handler) == "table" and handler or { js = handler, server = everything }
		local folder = place.folder
		place:write("work.js", parts.js)
		place:write("nginx.conf", configuration:format(folder, folder, folder, folder, folder, folder, folder, folder,
			place.port, place.secure and " ssl" or "", secure(place) .. parts.server))
		return ("nginx -c %s/nginx.conf"):format(folder)
	end,
}
