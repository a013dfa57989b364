--- Hello, by Tidegate and by nginx with its Lua module, in one run: processor
-- time per request of one serving thread each, and the ratio.
--
--     lua5.4 bench/hello.lua [ROUNDS [SECONDS]]
--
-- Needs wrk and nginx with its Lua module (Debian: wrk, libnginx-mod-http-lua).
-- Rounds alternate between the two, so that what else the machine does hits
-- both; the least of each is the figure.

local rounds, seconds = tonumber(arg[1]) or 3, tonumber(arg[2]) or 4

local cases = {
	{ name = "keep-alive, short head", headers = {} },
	{
		name = "keep-alive, a browser's head",
		headers = {
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
			"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
			"Accept-Language: en-GB,en;q=0.5",
			"Accept-Encoding: gzip, deflate, br",
			"DNT: 1",
			"Upgrade-Insecure-Requests: 1",
			"Sec-Fetch-Dest: document",
			"Sec-Fetch-Mode: navigate",
			"Sec-Fetch-Site: none",
			"Sec-Fetch-User: ?1",
			"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
		},
	},
}

local nginx_conf = [[
daemon off;
master_process off;
worker_processes 1;
pid %s/nginx.pid;
error_log stderr error;
%s
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_requests 1000000000;
	server {
		listen 127.0.0.1:%d;
		location /hello {
			default_type text/plain;
			content_by_lua_block {
				ngx.print("hello ", ngx.req.get_uri_args().name or "world", "\n")
			}
		}
	}
}
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
	local socket = require("socket")
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

local function start(command, port)
	local pid = tonumber(output(command .. " >/dev/null 2>&1 & echo $!"))
	local url = ("http://127.0.0.1:%d/hello?name=bench"):format(port)
	local answer = output(("curl -s --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 '%s'"):format(url))
	assert(answer == "hello bench\n", "no answer from " .. command)
	return { pid = pid, url = url }
end

local function measure(server, headers)
	local options = {}
	for _, header in ipairs(headers) do
		options[#options + 1] = ("-H '%s'"):format(header)
	end
	local before = cpu(server.pid)
	local text = output(("wrk -t1 -c16 -d%ds %s '%s'"):format(seconds, table.concat(options, " "), server.url))
	local count = tonumber(text:match("(%d+) requests in"))
	assert(not text:find("Non%-2xx"), text)
	return (cpu(server.pid) - before) / count * 1e6, count / seconds
end

local folder = output("mktemp -d"):gsub("%s", "")
local modules = "/usr/share/nginx/modules-available/mod-http-" -- ndk carries lua
local includes = ("include %sndk.conf;\ninclude %slua.conf;"):format(modules, modules)
local port, other_port = free_port(), free_port()

write(folder .. "/nginx.conf", nginx_conf:format(folder, includes, other_port))

local servers = {
	{ "Tidegate", start(("build/release/tidegate serve . --threads 1 --listen 127.0.0.1:%d --pid-file %s/pid"):format(
		port, folder), port) },
	{ "nginx + Lua module", start(("nginx -c %s/nginx.conf"):format(folder), other_port) },
}

print(output("nginx -v 2>&1"):gsub("\n", "") .. "; " .. output("build/release/tidegate version"):match("[^\n]+"))
for _, case in ipairs(cases) do
	local best, rate = {}, {}
	for _ = 1, rounds do
		for i, server in ipairs(servers) do
			local time, per_second = measure(server[2], case.headers)
			if not best[i] or time < best[i] then
				best[i], rate[i] = time, per_second
			end
		end
	end
	print(case.name)
	for i, server in ipairs(servers) do
		print(("  %-20s %6.2f us of CPU per request, %7.0f requests/s"):format(server[1], best[i], rate[i]))
	end
	print(("  ratio                %6.2f"):format(best[1] / best[2]))
end

for _, server in ipairs(servers) do
	os.execute("kill " .. server[2].pid)
end
os.execute("rm -r " .. folder)
