--- What a connection costs that says nothing.

local statistics = require("bench.lib.statistics")

local hello = require("bench.works.hello")

local count = 9000 -- all peers take that many

local request = "GET " .. hello.ask.path .. " HTTP/1.1\r\nHost: bench\r\n\r\n"

-- Opens a connection, asks once and leaves it open.
local function open(server)
	local client = assert(server:connect())
	assert(client:send(request))
	local head = assert(client:receive("*l"))
	assert(head:find("200"), head)
	return client
end

-- Seconds from asking to the first line of the answer.
local function ask(client, clock)
	local from = clock()
	assert(client:send(request))
	assert(client:receive("*l"))
	return clock() - from
end

local function measure(server)
	local clock = require("socket").gettime
	local before = server.process:memory()
	local clients, times = {}, {}
	for i = 1, count do
		clients[i] = open(server)
	end
	local after = server.process:memory()
	local one = open(server)
	for i = 1, 1000 do
		repeat -- the rest of the answer before
			one:settimeout(0)
			local _, why = one:receive(1)
		until why
		one:settimeout(10)
		times[i] = ask(one, clock) * 1e6
	end
	one:close()
	for _, client in ipairs(clients) do
		client:close()
	end
	return {
		bytes = (after.pss - before.pss) / count,
		before_mb = before.pss / 2 ^ 20,
		after_mb = after.pss / 2 ^ 20,
		p50_us = statistics.median(times),
	}
end

return {
	title = "9,000 idle connections",
	order = 60,
	about = "9,000 connections ask for hello once and stay. *bytes each* is what the server's processes grew by, in user "
		.. "space, for each; *p50* is hello beside them on one more.",
	ask = hello.ask,
	expect = hello.expect,
	rounds = 1,
	measure = measure,
	columns = {
		{ key = "bytes", title = "bytes each", digits = 0 },
		{ key = "before_mb", title = "PSS MB before", digits = 1 },
		{ key = "after_mb", title = "PSS MB with them", digits = 1 },
		{ key = "p50_us", title = "p50 µs", digits = 0 },
	},
	handlers = {
		tidegate = hello.handlers.tidegate,
		nginx_lua = hello.handlers.nginx_lua,
		lighttpd = hello.handlers.lighttpd,
		haproxy = hello.handlers.haproxy,
		nginx_njs = hello.handlers.nginx_njs,
		node = hello.handlers.node,
	},
}
