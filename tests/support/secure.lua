--- A gateway that listens with TLS, and what asks it: curl, openssl, and
-- plain sockets through a tunnel.

local certificates = require("tests.support.certificates")
local client = require("tests.support.client")
local program = require("tests.support.program")
local projects = require("tests.support.project")
local server = require("tests.support.server")

local quote = projects.quote

local secure_methods = {}
local secure_mt = { __name = "secure", __index = secure_methods }

--- `options`: files, threads, tls (text of the table in tidegate.lua), listen
-- (text, in place of one address with that tls), prepare(authority), flags.
local function start(options)
	local project = projects.new(options.files)
	local authority = certificates.new(project.path):issue("site", { names = { "site.test", "localhost" } })
	if options.prepare then
		options.prepare(authority)
	end
	local listen = options.listen or ("{ { '127.0.0.1:0', tls = %s } }"):format(options.tls or "{ 'site.pem', 'site.key' }")
	project:write("tidegate.lua", ("return { listen = %s }"):format(listen))
	local count = options.listeners or 1
	local self = setmetatable({ project = project, authority = authority, tunnels = {}, tunnel_ports = {} }, secure_mt)
	local arguments = { "serve", project.path, "--threads", options.threads or 1 }
	table.move(options.flags or {}, 1, #(options.flags or {}), #arguments + 1, arguments)
	self.gateway = server.adopt(program.start(arguments, options.environment), project)
	self.gateway:await_listeners(count)
	self.ports = {}
	for port in self.gateway:log():gmatch("listening on https?://127%.0%.0%.1:(%d+)\n") do
		self.ports[#self.ports + 1] = tonumber(port)
	end
	self.port = self.ports[1]
	return self
end

--- `openssl s_client`, which asks for `target`: everything it prints, and its
-- exit code.
function secure_methods:s_client(arguments, target)
	local request = ("GET %s HTTP/1.1\\r\\nHost: site.test\\r\\nConnection: close\\r\\n\\r\\n"):format(target or "/hello")
	local pipe = assert(io.popen(
		("cd %s && printf '%s' | timeout 60 openssl s_client -connect 127.0.0.1:%d -CAfile ca.pem -ign_eof %s 2>&1; echo \" $?\""):format(
			quote(self.project.path), request, self.port, arguments)))
	local output, code = pipe:read("a"):match("^(.*) (%d+)\n$")
	pipe:close()
	return output, tonumber(code)
end

--- curl to https://site.test: its output, errors and exit code.
function secure_methods:curl(arguments)
	local errors = os.tmpname()
	local pipe = assert(io.popen(
		("cd %s && timeout 120 curl -sS --cacert ca.pem --noproxy '*' --connect-to ::127.0.0.1:%d %s 2>%s; echo \" $?\""):format(
			quote(self.project.path), self.port, arguments, errors)))
	local output, code = pipe:read("a"):match("^(.*) (%d+)\n$")
	pipe:close()
	local file = assert(io.open(errors))
	local text = file:read("a")
	file:close()
	os.remove(errors)
	return output, text, tonumber(code)
end

--- A port on which plain sockets speak TLS to the gateway; "drip" and "cut" as
-- in tls_tunnel.c.
function secure_methods:tunnel(mode)
	local pipe = assert(io.popen(("exec build/release/tests/tls_tunnel %d %s site.test %s 2>/dev/null"):format(
		self.port, quote(self.project.path .. "/ca.pem"), mode or "")))
	local port, pid = pipe:read("n", "n")
	table.insert(self.tunnels, { pipe = pipe, pid = pid })
	return port
end

--- A client through a tunnel.
function secure_methods:connect(mode)
	mode = mode or "whole"
	self.tunnel_ports[mode] = self.tunnel_ports[mode] or self:tunnel(mode)
	return client.connect(self.tunnel_ports[mode])
end

--- A plain socket, without a tunnel.
function secure_methods:connect_plain()
	return client.connect(self.port)
end

function secure_methods:stop()
	for _, tunnel in ipairs(self.tunnels) do
		os.execute("kill " .. tunnel.pid)
		tunnel.pipe:close()
	end
	local log = self.gateway:stop()
	self.project:delete()
	return log
end

return { start = start }
