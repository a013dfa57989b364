-- Twelve clients ask without pause while the handler is rewritten and reloaded
-- ten times a second, each fifth time with a syntax error.

local crowds = require("tests.support.crowd")
local program = require("tests.support.program")
local server = require("tests.support.server")

local seconds = tonumber(os.getenv("STORM_SECONDS") or 20)

local function version(number)
	return ("return function() return '%d' end\n"):format(number)
end

local broken = "return function() return ' end\n"

for _, threads in ipairs({ 1, 2, 4 }) do
	describe(("a storm of reloads on %d threads #slow #threads"):format(threads), function()
		local gateway, crowd
		local newest, wrong = 0, {} -- newest answered to anybody; statuses that are not 200

		lazy_setup(function()
			gateway = server.start({ threads = threads, files = { ["handlers/v.lua"] = version(0) } })
			crowd = crowds.new({
				port = gateway.port,
				target = "/v",
				kept = 8,
				single = 4,
				asked = function() return newest end,
				answered = function(status, body, newest_when_asked)
					local number = tonumber(body)
					if status ~= 200 or not number or number % 5 == 4 or number < newest_when_asked then
						wrong[#wrong + 1] = ("%d %s after %d"):format(status, body, newest_when_asked)
					end
					newest = math.max(newest, number or 0)
				end,
			})
		end)

		it("fails no request, answers no broken version and never goes back", function()
			local last
			for number = 1, seconds * 10 do
				gateway.project:write("handlers/v.lua", number % 5 == 4 and broken or version(number))
				gateway:signal("HUP")
				crowd:run(0.1)
				last = number
			end
			gateway.project:write("handlers/v.lua", version(last + 1))
			gateway:signal("HUP")
			program.await(function() return "the last version; now it is " .. newest end, function()
				crowd:run(0.05)
				return newest == last + 1
			end)
			crowd:stop()
			assert.same({}, wrong)
			assert.is_true(crowd.count > 100 * seconds / 20, crowd.count .. " answers only")
		end)

		lazy_teardown(function()
			local log = gateway:stop()
			assert.is_truthy(log:find("handlers/v.lua:1:", 1, true), "no broken version was reported")
		end)
	end)
end
