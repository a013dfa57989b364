--- How long it takes from the command to the first answer.

local socket = require("socket")

local hello = require("bench.works.hello")

local request = "GET " .. hello.ask.path .. " HTTP/1.0\r\nHost: bench\r\n\r\n"

local function answers(server)
	local client = server:connect()
	if not client then
		return false
	end
	client:send(request)
	local line = client:receive("*l")
	client:close()
	return line ~= nil and line:find("200") ~= nil
end

local function measure(server)
	server.process:stop()
	local from = socket.gettime()
	server:launch()
	repeat
		local ready = answers(server)
		if not ready then
			socket.sleep(0.0005)
		end
		assert(socket.gettime() - from < 15, "it does not come back")
	until ready
	return { ms = (socket.gettime() - from) * 1000 }
end

local handlers = {}
for peer, handler in pairs(hello.handlers) do
	handlers[peer] = handler
end

return {
	title = "start to first answer",
	order = 61,
	about = "From the command, `taskset` and a shell before it included, to the first answer of hello.",
	ask = hello.ask,
	expect = hello.expect,
	measure = measure,
	columns = { { key = "ms", title = "ms", digits = 1 } },
	handlers = handlers,
}
