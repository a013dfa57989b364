-- Hundreds of hostile clients that are slow on purpose (slowhttptest), beside
-- well-behaved ones that must not notice.

local program = require("tests.support.program")
local server = require("tests.support.server")
local socket = require("socket")

local attacks = { -- for five seconds each, with more connections than the head timeout lets live
	{ "headers", "-H -i 1 -x 24" },
	{ "content", "-B -i 1 -s 8192 -x 10" },
	{ "readers", "-X -w 10 -y 20 -n 1 -z 5 -k 3" },
}

describe("slow", function()
	local gateway

	lazy_setup(function()
		gateway = server.start({
			threads = 2,
			files = {
				["handlers/hello.lua"] = "return function() return 'hello' end",
				["handlers/index.lua"] = [[
					local tide = ("tide"):rep(50000)
					return function(request) request:text() return tide end]],
			},
			flags = { "--head-timeout", "2", "--body-timeout", "2", "--write-timeout", "2" },
		})
	end)

	lazy_teardown(function()
		gateway:stop()
	end)

	for _, attack in ipairs(attacks) do
		it(attack[1] .. " keep nobody else waiting, and leave nothing", function()
			assert.equal("hello", gateway:get("/hello").body)
			local before = gateway:descriptors()
			local command = "timeout 60 slowhttptest -c 400 -r 400 -l 5 -p 5 %s -u http://127.0.0.1:%d/ >/dev/null 2>&1; echo done"
			local running = io.popen(command:format(attack[2], gateway.port))
			local most, worst, ends = 0, 0, socket.gettime() + 5
			repeat
				local began = socket.gettime()
				local response = gateway:get("/hello")
				assert.same({ 200, "hello" }, { response.status, response.body })
				worst = math.max(worst, socket.gettime() - began)
				most = math.max(most, gateway:descriptors())
			until socket.gettime() > ends
			assert.is_true(most > before + 100, "the attack did not come: " .. most)
			assert.is_true(worst < program.patience / 2, ("an answer took %.1f s"):format(worst))
			assert.equal("done", running:read("l"))
			running:close()
			program.await(function() return "the descriptors" end, function()
				return gateway:descriptors() <= before -- that connection may still be counted in it
			end)
		end)
	end
end)
