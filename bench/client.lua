--- A handler that asks an origin once, by Tidegate and by nginx with its Lua
-- module (a raw cosocket), in one run: processor time per request of one serving
-- thread each, without the origin's, and the ratio.
--
--     lua5.4 bench/client.lua [ROUNDS [SECONDS]]
--
-- Needs wrk and nginx with its Lua module (Debian: wrk, libnginx-mod-http-lua).
-- Rounds alternate between the two; the least of each is the figure.

local socket = require("socket")

local rounds, seconds = tonumber(arg[1]) or 3, tonumber(arg[2]) or 4

local nginx_conf = [[
daemon off;
master_process off;
worker_processes 1;
pid FOLDER/NAME.pid;
error_log stderr error;
MODULES
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_requests 1000000000;
	server {
		listen 127.0.0.1:PORT;
SERVER
	}
}
]]

local origin_conf = [[
		location /origin { default_type text/plain; return 200 "the origin says hello\n"; }
]]

-- What a careful hand writes: a kept connection, the head line by line, the
-- length.
local lua_conf = [[
		location /ask {
			default_type text/plain;
			content_by_lua_block {
				local sock = ngx.socket.tcp()
				assert(sock:connect("127.0.0.1", ORIGIN, { pool_size = 64 }))
				assert(sock:send("GET /origin HTTP/1.1\r\nhost: 127.0.0.1:ORIGIN\r\n\r\n"))
				local status = assert(sock:receive("*l"))
				local headers = {}
				while true do
					local line = assert(sock:receive("*l"))
					if line == "" then break end
					local name, value = line:match("^([^:]+):%s*(.-)%s*$")
					headers[name:lower()] = value
				end
				local body = assert(sock:receive(tonumber(headers["content-length"])))
				sock:setkeepalive(30000, 64)
				ngx.print(body)
			}
		}
]]

local handler = [[
local http = require("tidegate.http")
return function()
	return http.get("http://127.0.0.1:ORIGIN/origin"):text()
end
]]

local function output(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read("a")
	pipe:close()
	return text
end

local function write(path, text)
	local file = assert(io.open(path, "w"))
	file:write(text)
	file:close()
end

local function free_port()
	local listener = assert(socket.bind("127.0.0.1", 0))
	local _, port = listener:getsockname()
	listener:close()
	return math.tointeger(tonumber(port))
end

-- Processor time of a process so far, in seconds.
local ticks = tonumber(output("getconf CLK_TCK"))

local function cpu(pid)
	local file = assert(io.open("/proc/" .. pid .. "/stat"))
	local user, system = file:read("a"):match("^%d+ %(.-%) %S+" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
	file:close()
	return (user + system) / ticks
end

local function start(command, port, path)
	local pid = tonumber(output(command .. " >/dev/null 2>&1 & echo $!"))
	local url = ("http://127.0.0.1:%d%s"):format(port, path)
	local answer = output(("curl -s --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 '%s'"):format(url))
	assert(answer == "the origin says hello\n", "no answer from " .. command .. ": " .. answer)
	return { pid = pid, url = url }
end

local function measure(server)
	local before = cpu(server.pid)
	local text = output(("wrk -t1 -c16 -d%ds '%s'"):format(seconds, server.url))
	local count = tonumber(text:match("(%d+) requests in"))
	assert(not text:find("Non%-2xx"), text)
	return (cpu(server.pid) - before) / count * 1e6, count / seconds
end

local folder = output("mktemp -d"):gsub("%s", "")
local modules = "/usr/share/nginx/modules-available/mod-http-" -- ndk carries lua
local includes = ("include %sndk.conf;\ninclude %slua.conf;"):format(modules, modules)
local origin_port = free_port()

local function nginx(name, server, loaded, port)
	local values = { FOLDER = folder, NAME = name, MODULES = loaded, PORT = port, SERVER = server }
	local text = nginx_conf:gsub("%u+", values):gsub("ORIGIN", origin_port)
	write(("%s/%s.conf"):format(folder, name), text)
	return ("nginx -c %s/%s.conf"):format(folder, name)
end

assert(os.execute("mkdir " .. folder .. "/handlers"))
write(folder .. "/handlers/ask.lua", (handler:gsub("ORIGIN", origin_port)))
local port, other_port = free_port(), free_port()
local origin = start(nginx("origin", origin_conf, "", origin_port), origin_port, "/origin")
local servers = {
	{ "Tidegate", start(("build/release/tidegate serve %s --threads 1 --listen 127.0.0.1:%d"):format(folder, port), port, "/ask") },
	{ "nginx, raw cosocket", start(nginx("other", lua_conf, includes, other_port), other_port, "/ask") },
}

print(output("nginx -v 2>&1"):gsub("\n", "") .. "; " .. output("build/release/tidegate version"):match("[^\n]+"))
local best, rate = {}, {}
for _ = 1, rounds do
	for i, server in ipairs(servers) do
		local time, per_second = measure(server[2])
		if not best[i] or time < best[i] then
			best[i], rate[i] = time, per_second
		end
	end
end
for i, server in ipairs(servers) do
	print(("  %-20s %6.2f us of CPU per request, %7.0f requests/s"):format(server[1], best[i], rate[i]))
end
print(("  ratio                %6.2f"):format(best[1] / best[2]))

for _, server in ipairs(servers) do
	os.execute("kill " .. server[2].pid)
end
os.execute("kill " .. origin.pid)
os.execute("rm -r " .. folder)
