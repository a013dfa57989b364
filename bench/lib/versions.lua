--- Servers whose hello says which version of it answers, so that a reload can
-- be watched.

local socket = require("socket")

local request = "GET /version HTTP/1.0\r\nHost: bench\r\n\r\n"

-- What each peer needs for a version; `writes` is the file that changes.
local peers = {
	tidegate = {
		writes = "handlers/version.lua",
		text = 'return function() return "version %d\\n" end\n',
		signal = "HUP",
	},
	nginx_lua = {
		writes = "version.lua",
		text = 'local text = "version %d\\n"\nngx.header.content_length = #text\nngx.print(text)\n',
		signal = "HUP",
	},
	nginx_njs = {
		writes = "work.js",
		text = 'function answer(r) { r.return(200, "version %d\\n"); }\nexport default { answer };\n',
		signal = "HUP",
	},
}

--- The handlers of a work; `others` is how many more routes there are.
local function handlers(others)
	local files, locations = { ["handlers/version.lua"] = peers.tidegate.text:format(0) }, {}
	for n = 1, others do
		files[("handlers/other%d/{id}.lua"):format(n)] = ([[
return function(request)
	return "%d " .. request.params.id .. "\n"
end
]]):format(n)
		locations[n] = ([[
location ~ ^/other%d/([^/]+)$ { content_by_lua_block { ngx.print("%d ", ngx.var[1], "\n") } }
]]):format(n, n)
	end
	return {
		tidegate = files,
		nginx_lua = {
			files = { ["version.lua"] = peers.nginx_lua.text:format(0) },
			server = "location = /version { content_by_lua_file FOLDER/version.lua; }\n" .. table.concat(locations),
		},
		nginx_njs = others < 100 and {
			js = peers.nginx_njs.text:format(0),
			server = "location = /version { js_content work.answer; }\n",
		} or nil,
	}
end

-- Which version answers a new connection; nil if none does.
local function ask(server)
	local client = server:connect()
	if not client then
		return nil
	end
	client:send(request)
	local answer = client:receive("*a") or ""
	client:close()
	return tonumber(answer:match("version (%d+)"))
end

-- A shell that stays, so that a signal costs no fork.
local shell = assert(io.popen("exec sh", "w"))

local function send_signal(server, name)
	shell:write(("kill -%s %d\n"):format(name, server.process.pid))
	shell:flush()
end

--- Writes a version, sends the signal, and asks until the new one answers.
-- Returns seconds, or nil if it has not come after `patience` seconds.
local function replace(server, version, patience)
	local peer = peers[server.peer.name]
	server.place:write(peer.writes, peer.text:format(version))
	local from = socket.gettime()
	send_signal(server, peer.signal)
	repeat
		if ask(server) == version then
			return socket.gettime() - from
		end
	until socket.gettime() - from > patience
	return nil
end

return { handlers = handlers, replace = replace }
