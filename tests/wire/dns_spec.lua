-- tidegate.dns, with a name server that the spec runs.

local name_server = require("tests.support.name_server")
local server = require("tests.support.server")
local socket = require("socket")

local run = [[
local dns = require("tidegate.dns")
local task = require("tidegate.task")
local timer = require("tidegate.timer")

return { limits = { wait = 600 }, POST = function(request)
	local values = table.pack(assert(load("local dns, task, timer = ... " .. request:text(), "=run"))(dns, task, timer))
	for i = 1, values.n do
		if type(values[i]) == "table" then
			values[i] = table.concat(values[i], " ") .. (values[i].ttl and " ttl " .. values[i].ttl or "")
		end
		values[i] = tostring(values[i])
	end
	return table.concat(values, " | ")
end }]]

describe("tidegate.dns", function()
	local gateway, names

	local function ask(code)
		local response = gateway:fetch("POST", "/run", { ["Content-Length"] = #code, Accept = "text/plain" }, code)
		return response.body
	end

	setup(function()
		names = name_server.start()
		gateway = server.start({ files = { ["handlers/run.lua"] = run }, flags = { "--dns-servers", names.address } })
	end)

	teardown(function()
		gateway:stop()
		names:stop()
	end)

	describe("resolve", function()
		local cases = {
			{ "gives the addresses of a name", "'a.test'", "192.0.2.1 ttl 60" },
			{ "gives all of them", "'many.test', 'A'", "192.0.2.1 192.0.2.2 192.0.2.3 ttl 60" },
			{ "gives addresses of IPv6", "'a.test', 'AAAA'", "2001:db8::1 ttl 60" },
			{ "gives the name of an address", "'192.0.2.1', 'PTR'", "a.test ttl 60" },
			{ "gives the name of an address of IPv6", "'2001:db8::1', 'PTR'", "a.test ttl 60" },
			{ "takes a name in any case, and with a dot at its end", "'A.Test.'", "192.0.2.1 ttl 60" },
			{ "gives an address back", "'192.0.2.9'", "192.0.2.9 ttl 0" },
			{ "knows localhost", "'localhost'", "127.0.0.1 ttl 0" },
			{ "knows what is below localhost", "'x.localhost', 'AAAA'", "::1 ttl 0" },
			{ "says that there is no such name", "'no.test'", "nil | cannot resolve no.test: there is no such name | nxdomain" },
			{ "says that there is nothing of that type", "'many.test', 'AAAA'",
				"nil | cannot resolve many.test: the name has no address of this type | nodata" },
			{ "says that an address has no name", "'192.0.2.200', 'PTR'",
				"nil | cannot resolve 192.0.2.200: there is no such name | nxdomain" },
			{ "refuses a name that is none", "'192.0.2.2', 'PTR'",
				"nil | cannot resolve 192.0.2.2: the server's answer is no name of a host | failed" },
			{ "says that the server failed", "'servfail.test'", "nil | cannot resolve servfail.test: the server failed | servfail" },
			{ "says that the server refused", "'refused.test'",
				"nil | cannot resolve refused.test: the server refused to answer | refused" },
			{ "says that an answer was too long", "'cut.test'",
				"nil | cannot resolve cut.test: the answer is too long for a datagram | truncated" },
			{ "waits for the right answer after noise", "'noise.test'", "192.0.2.1 ttl 60" },
			{ "fails at an answer that cannot be read", "'broken.test'",
				"nil | cannot resolve broken.test: the server's answer cannot be understood | failed" },
			{ "waits for the right answer after one with a wrong number", "'wrong.test'", "192.0.2.1 ttl 60" },
			{ "takes no answer to another question", "'other.test'",
				"nil | cannot resolve other.test: the server's answer cannot be understood | failed" },
			{ "times out", "'silent.test', 'A', { timeout = 0.05 }", "nil | cannot resolve silent.test: timed out | timeout" },
			{ "asks for no malformed name", "'bad..name'", "nil | cannot resolve bad..name: it is no name of a host | badname" },
			{ "asks for no name of bytes", "'b\\xFFd'", "nil | cannot resolve b\xFFd: it is no name of a host | badname" },
			{ "takes an address for PTR only", "'a.test', 'PTR'", "nil | cannot resolve a.test: it is no address | badname" },
		}
		for _, case in ipairs(cases) do
			it(case[1], function()
				local answer = ask(("return dns.resolve(%s)"):format(case[2]))
				assert.equal(case[3], (answer:gsub("ttl 5%d$", "ttl 60")))
			end)
		end

		it("refuses a label that is too long", function()
			assert.matches("it is no name of a host", ask("return dns.resolve(('x'):rep(64) .. '.test')"))
		end)

		it("reads the file of hosts", function()
			local name, address
			for line in io.lines("/etc/hosts") do
				local its, first = line:match("^%s*(%d+%.%d+%.%d+%.%d+)%s+(%S+)")
				if first and first ~= "localhost" and not name then
					name, address = first, its
				end
			end
			if not name then
				pending("/etc/hosts has but localhost")
				return
			end
			assert.matches(address, ask(("return dns.resolve(%q)"):format(name)), 1, true)
		end)

		it("remembers an answer as long as it is true", function()
			assert.matches("^192.0.2.1 ttl", ask("return dns.resolve('a.test')"))
			local count = names:count("A a.test")
			assert.matches("^192.0.2.1 ttl", ask("return dns.resolve('a.test')"))
			assert.equal(count, names:count("A a.test"))
			local began = socket.gettime()
			ask("return dns.resolve('short.test')")
			repeat
				ask("return dns.resolve('short.test')")
				assert.is_true(socket.gettime() < began + 30)
			until names:count("A short.test") == 2
			assert.is_true(socket.gettime() - began >= 1)
		end)

		it("does not remember what is true for no time", function()
			ask("return dns.resolve('never.test')")
			ask("return dns.resolve('never.test')")
			assert.equal(2, names:count("A never.test"))
		end)

		it("remembers for some seconds that there is no such name", function()
			ask("return dns.resolve('no.test')")
			ask("return dns.resolve('no.test')")
			assert.equal(1, names:count("A no.test"))
		end)

		it("asks once for what many ask at the same time", function()
			local code = "local t = {} for i = 1, 50 do t[i] = function() return #dns.resolve('slow.test') end end "
				.. "local n = 0 for _, count in ipairs(task.all(t)) do n = n + count end return n"
			assert.equal("50", ask(code))
			assert.equal(1, names:count("A slow.test"))
		end)

		it("asks on for those who stay when one leaves", function()
			local code = "local h = task.spawn(dns.resolve, 'slower.test') local other = task.spawn(dns.resolve, 'slower.test') "
				.. "timer.sleep(0.001) h:cancel() return other:wait()"
			assert.matches("^192.0.2.1 ttl", ask(code))
			assert.equal(1, names:count("A slower.test"))
		end)

		it("looks in the domains it is given", function()
			assert.equal("192.0.2.7 ttl 60", ask("return dns.resolve('deep', 'A', { search = { 'no.test', 'inner.test' } })"))
			assert.equal(1, names:count("A deep.no.test"))
			assert.matches("nxdomain$", ask("return dns.resolve('deep', 'A', { search = false })"))
			assert.matches("nxdomain$", ask("return dns.resolve('deep.', 'A', { search = { 'inner.test' } })"))
		end)

		it("asks the servers it is given", function()
			local others, count = name_server.start(), names:count("A a.test")
			local code = ("return dns.resolve('a.test', 'A', { servers = %q })"):format(others.address)
			assert.equal("192.0.2.1 ttl 60", ask(code))
			assert.equal(1, others:count("A a.test"))
			assert.equal(count, names:count("A a.test"))
			others:stop()
		end)

		it("keeps few lists of servers", function()
			local code = "for i = 1, 40 do local list, message, code = dns.resolve('a.test', 'A', "
				.. "{ servers = '127.0.0.1:' .. i, timeout = 0.002 }) assert(code == 'timeout', code) end return 'fine'"
			assert.equal("fine", ask(code))
			assert.is_true(gateway:descriptors() < 60)
		end)

		it("has too many when all are in use", function()
			local code = "local t = {} for i = 1, 40 do t[i] = function() return (select(3, dns.resolve('a.test', 'A', "
				.. "{ servers = '127.0.0.1:' .. i, timeout = 0.1 }))) end end local n = {} "
				.. "for _, code in ipairs(task.all(t)) do n[code] = (n[code] or 0) + 1 end return n.busy, n.timeout"
			assert.matches("^2[45] | 1[56]$", ask(code))
		end)

		local misuses = {
			{ "dns.resolve()", "bad argument #1 to 'resolve'" },
			{ "dns.resolve('a.test', 'MX')", "invalid option 'MX'" },
			{ "dns.resolve('a.test', 'A', { server = 'x' })", "unknown option 'server' of dns.resolve; did you mean 'servers'?" },
			{ "dns.resolve('a.test', 'A', { servers = 'x' })", "option 'servers' of dns.resolve cannot have 'x'" },
			{ "dns.resolve('a.test', 'A', { servers = { 1 } })", "option 'servers' of dns.resolve cannot have '1'" },
			{ "dns.resolve('a.test', 'A', { search = 'a..b' })", "option 'search' of dns.resolve cannot have 'a..b'" },
			{ "dns.resolve('a.test', 'A', { timeout = -1 })", "out of range" },
			{ "dns.resolve('a\\0.test')", "not a name" },
		}
		for _, misuse in ipairs(misuses) do
			it("raises at " .. misuse[1], function()
				assert.matches("run:1: .*" .. misuse[2]:gsub("%p", "%%%0"), ask(("return select(2, pcall(function() %s end))"):format(misuse[1])))
			end)
		end
	end)

	it("forgets an unanswered question when the gateway stops", function()
		ask("task.spawn(dns.resolve, 'silent.test') return 'fine'")
		local code = "task.spawn(dns.resolve, 'silent.test'):wait()"
		local client = gateway:connect()
		client:send(("POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"):format(#code, code))
		names:await("A silent.test")
		client:close()
	end)
end)
