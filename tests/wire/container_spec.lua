-- The master as the first process of a container, which inherits orphans.

local program = require("tests.support.program")
local server = require("tests.support.server")

local can_unshare = os.execute("unshare --pid --fork --mount-proc true 2>/dev/null")

local function read(path)
	local file = io.open(path)
	local text = file and file:read("a")
	if file then
		file:close()
	end
	return text
end

local function children(pid)
	local list = {}
	for number in (read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch("%d+") do
		list[#list + 1] = tonumber(number)
	end
	return list
end

-- A child of that name, dead or alive.
local function child_called(pid, name)
	for _, child in ipairs(children(pid)) do
		local status = read(("/proc/%d/status"):format(child))
		if status and status:match("^Name:\t([^\n]+)") == name then
			return child
		end
	end
end

describe("the first process of a container", function()
	if not can_unshare then
		pending("buries orphans: this machine does not allow `unshare --pid --mount-proc`")
		return
	end

	it("buries orphans, and its own workers as ever", function()
		local gateway = server.start({
			environment = "unshare --pid --fork --kill-child --mount-proc",
			files = {
				["handlers/leave.lua"] = "return function() os.execute('sleep 600 >/dev/null 2>&1 &') return 'left' end",
			},
		})
		gateway.may_lose_workers = true
		local master = children(gateway.pid)[1]
		for _ = 1, 3 do
			assert.equal("left", gateway:get("/leave").body)
			local orphan = program.await("an orphan", function() return child_called(master, "sleep") end)
			assert(os.execute("kill -KILL " .. orphan))
			program.await("its burial", function() return not read(("/proc/%d/status"):format(orphan)) end)
		end

		local worker = assert(child_called(master, "tidegate"))
		local from = #gateway:log()
		assert(os.execute("kill -KILL " .. worker))
		gateway:wait_log("worker %d+ died of signal 9 %(Killed%).*worker %d+ serves", from)
		assert.equal("left", gateway:get("/leave").body)

		assert.equal(0, select(3, program.run("stop", gateway.project.path)))
		gateway:ended()
	end)
end)
