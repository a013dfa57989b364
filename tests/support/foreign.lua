--- Servers of others, as origins: nginx on a unix socket, node on a port.

local program = require("tests.support.program")
local projects = require("tests.support.project")

local quote = projects.quote

local foreign_methods = {}
local foreign_mt = { __name = "foreign", __index = foreign_methods }

local function read(path)
	local file = io.open(path)
	local text = file and file:read("a") or ""
	if file then
		file:close()
	end
	return text
end

local function start(project, command)
	local log = project.path .. "/log"
	local pipe = assert(io.popen(("%s >%s 2>&1 & echo $!"):format(command, quote(log))))
	local self = setmetatable({ project = project, pid = tonumber(pipe:read("l")), log = log }, foreign_mt)
	pipe:close()
	return self
end

--- Ends it, and takes its folder away.
function foreign_methods:stop()
	os.execute(("kill -TERM %d"):format(self.pid))
	program.await("its end", function() return not os.execute(("kill -0 %d 2>/dev/null"):format(self.pid)) end)
	self.project:delete()
end

local nginx_conf = [[
daemon off;
master_process off;
worker_processes 1;
pid %s/pid;
error_log stderr;
events {}
http {
	access_log off;
	default_type text/plain;
	client_body_temp_path %s/body;
	proxy_temp_path %s/proxy;
	fastcgi_temp_path %s/fastcgi;
	uwsgi_temp_path %s/uwsgi;
	scgi_temp_path %s/scgi;
	gzip_types *;
	server {
		listen unix:%s/socket;
		root %s/www;
%s
	}
}
]]

--- `self.socket` is where it listens.  `server`: what stands in its server
-- block; `files`: what it serves.
local function nginx(server, files)
	local project = projects.new()
	for name, text in pairs(files) do
		project:write("www/" .. name, text)
	end
	project:write("nginx.conf", (nginx_conf:gsub("%%s", project.path, 8):gsub("%%s", function() return server end)))
	local self = start(project, "nginx -c " .. quote(project.path .. "/nginx.conf"))
	self.socket = project.path .. "/socket"
	program.await(function() return "nginx: " .. read(self.log) end, function()
		return os.execute("test -S " .. quote(self.socket))
	end)
	return self
end

--- `self.url` is where it listens.  `code` handles `request` and `response`.
local function node(code)
	local project = projects.new()
	project:write("server.js", ([[
const http = require("http");
const zlib = require("zlib");
const server = http.createServer((request, response) => { %s });
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port + "."));
]]):format(code))
	local self = start(project, "node " .. quote(project.path .. "/server.js"))
	program.await(function() return "node: " .. read(self.log) end, function()
		self.port = read(self.log):match("port (%d+)%.")
		return self.port
	end)
	self.url = "http://127.0.0.1:" .. self.port
	return self
end

return { nginx = nginx, node = node }
