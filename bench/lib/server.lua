--- A peer that runs, configured for one work, in a folder of its own.

local socket = require("socket")

local processes = require("bench.lib.process")
local system = require("bench.lib.system")

local core = 0 -- servers have the first core; load comes from the last
local patience = 15 -- seconds until the first answer

local place_methods = {}
local place_mt = { __index = place_methods }

--- Writes a file of the configuration.
function place_methods:write(name, text)
	system.write(self.folder .. "/" .. name, text)
end

-- Key and certificate in one file as HAProxy wants it; others take it, too.
local function make_certificate(place)
	place.key, place.certificate = place.folder .. "/site.key", place.folder .. "/site.pem"
	assert(os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
		.. "-subj /CN=localhost -keyout %s -out %s 2>/dev/null && chmod 644 %s && cat %s >>%s"):format(
		place.key, place.certificate, place.key, place.key, place.certificate)))
end

local server_methods = {}
local server_mt = { __name = "server", __index = server_methods }

-- A work's handler, with the origin's port where it says ORIGIN_PORT, and host
-- and port where it says ORIGIN.
local function with_origin(handler, origin)
	if type(handler) == "string" then
		return (handler:gsub("ORIGIN_PORT", origin.port):gsub("ORIGIN", "127.0.0.1:" .. origin.port))
	end
	local copy = {}
	for key, value in pairs(handler) do
		copy[key] = with_origin(value, origin)
	end
	return copy
end

--- Makes the server, and starts it.  `origin` is the work's, if it has one.
local function start(peer, work, origin)
	local place = setmetatable({ folder = system.temporary_folder(), port = system.free_port() }, place_mt)
	local handler = work.handlers[peer.name]
	place.secure = work.ask.secure
	if place.secure then
		make_certificate(place)
	end
	for name, text in pairs(work.files or {}) do
		place:write(name, text)
	end
	local self = setmetatable({
		peer = peer,
		work = work,
		place = place,
		port = place.port,
		url = ("%s://127.0.0.1:%d"):format(place.secure and "https" or "http", place.port),
		log = place.folder .. "/log",
	}, server_mt)
	place:write("public/index.txt", "")
	self.command = peer.command(place, origin and with_origin(handler, origin) or handler)
	self:launch()
	return self
end

--- Starts the process; what was written before stays.
function server_methods:launch()
	self.process = processes.start(self.command, core, self.log)
end

function server_methods:connect()
	local client = socket.tcp()
	client:settimeout(patience)
	local ok, message = client:connect("127.0.0.1", self.port)
	if not ok then
		client:close()
		return nil, message
	end
	client:setoption("tcp-nodelay", true)
	return client
end

--- Waits until it takes connections; nil and a message if it does not.
function server_methods:await()
	local from = socket.gettime()
	repeat
		local client = self:connect()
		if client then
			client:close()
			return true
		end
		if not self.process:is_alive() then
			break
		end
		socket.sleep(0.002)
	until socket.gettime() - from > patience
	return nil, "it does not listen: " .. (system.read(self.log) or ""):sub(1, 500)
end

--- Asks once, as the work has it, by curl.  Returns status, body, head.
function server_methods:ask()
	local ask, folder = self.work.ask, self.place.folder
	local words = { "curl -s -k --http1.1 --max-time 10 --path-as-is -D", folder .. "/head", "-o", folder .. "/answer" }
	for name, value in pairs(ask.headers or {}) do
		words[#words + 1] = "-H " .. system.quote(name .. ": " .. value)
	end
	if ask.body then
		self.place:write("content", ask.body)
		words[#words + 1] = "-H Expect: --data-binary @" .. folder .. "/content"
	end
	words[#words + 1] = "-X " .. (ask.method or "GET")
	words[#words + 1] = system.quote(self.url .. (ask.path or ask.paths[#ask.paths]))
	os.remove(folder .. "/answer")
	os.execute(table.concat(words, " "))
	local head = system.read(folder .. "/head") or ""
	return tonumber(head:match("HTTP/1.1 (%d+)")), system.read(folder .. "/answer") or "", head
end

--- Is the answer what the work expects?  If not, nil and what it is.
function server_methods:check()
	local status, body, head = self:ask()
	local expect = self.work.expect
	local right = body == expect
	if type(expect) == "function" then
		right = expect(body)
	end
	if status == 200 and right and not head:lower():find("\ncontent%-encoding:") then
		return true
	end
	return nil, ("it answers %s %q: %s"):format(status, body:sub(1, 100),
		(system.read(self.log) or ""):sub(-500) .. (system.read(self.place.folder .. "/error.log") or ""):sub(-500))
end

--- Ends it and removes its folder.
function server_methods:stop()
	self.process:stop()
	system.remove_folder(self.place.folder)
end

return { start = start, core = core }
