--- Decodes content with the programs of those who made the codings.

local programs = { gzip = "gzip -dc", br = "brotli -dc", zstd = "zstd -dc" }

local function run(coding, data)
	local path = os.tmpname()
	local file = assert(io.open(path, "wb"))
	assert(file:write(data))
	assert(file:close())
	local pipe = assert(io.popen(("%s <%s 2>/dev/null; echo $?"):format(assert(programs[coding], coding), path)))
	local text, code = pipe:read("a"):match("^(.*)%f[%d](%d+)\n$")
	pipe:close()
	os.remove(path)
	return text, tonumber(code)
end

--- The whole content; it must be complete and sound.
local function whole(coding, data)
	local text, code = run(coding, data)
	assert(code == 0, ("%d bytes of %s do not decode (exit code %d)"):format(#data, coding, code))
	return text
end

--- As much as can be decoded of what has come so far.
local function part(coding, data)
	return (run(coding, data))
end

return { whole = whole, part = part }
