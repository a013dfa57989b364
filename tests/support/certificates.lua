--- Certificates for specs, made by openssl: an authority, and what it signs.

local projects = require("tests.support.project")

local quote = projects.quote

local function run(command)
	local pipe = assert(io.popen(command .. " 2>&1; echo $?"))
	local output, code = pipe:read("a"):match("^(.*)%f[%d](%d+)\n$")
	pipe:close()
	assert(code == "0", command .. "\n" .. output)
	return output
end

local authority_methods = {}
local authority_mt = { __name = "authority", __index = authority_methods }

-- An elliptic key is made at once; `kind` may be "rsa".
local function key_options(kind)
	return kind == "rsa" and "-newkey rsa:2048" or "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
end

--- Makes NAME.pem and NAME.key in the folder.  `options`: names (DNS names),
-- subject, kind, days (negative: it has expired).
function authority_methods:issue(name, options)
	options = options or {}
	local path = self.path .. "/" .. name
	local names = {}
	for i, host in ipairs(options.names or {}) do
		names[i] = "DNS:" .. host
	end
	local extension = self.path .. "/.extension"
	local file = assert(io.open(extension, "w"))
	file:write(#names > 0 and "subjectAltName=" .. table.concat(names, ",") or "keyUsage=digitalSignature", "\n")
	file:close()
	run(("openssl req -new %s -nodes -subj %s -keyout %s -out %s"):format(key_options(options.kind),
		quote(options.subject or "/CN=" .. name), quote(path .. ".key"), quote(path .. ".csr")))
	run(("openssl x509 -req -in %s -CA %s -CAkey %s -CAcreateserial -days %d -extfile %s -out %s"):format(
		quote(path .. ".csr"), quote(self.path .. "/ca.pem"), quote(self.path .. "/ca.key"),
		options.days or 30, quote(extension), quote(path .. ".pem")))
	os.remove(path .. ".csr")
	return self
end

--- Makes NAME.der: the authority says that NAME.pem is good.
function authority_methods:staple(name)
	local path = self.path .. "/"
	run(("cd %s && openssl ocsp -issuer ca.pem -cert %s.pem -reqout .request -no_nonce"):format(quote(path), name))
	local serial = run(("openssl x509 -in %s -noout -serial"):format(quote(path .. name .. ".pem"))):match("=(%x+)")
	local index = assert(io.open(path .. ".index", "w"))
	index:write(("V\t491231235959Z\t\t%s\tunknown\t/CN=%s\n"):format(serial, name))
	index:close()
	run(("cd %s && openssl ocsp -index .index -CA ca.pem -rsigner ca.pem -rkey ca.key -reqin .request -respout %s.der -ndays 7")
		:format(quote(path), name))
	return self
end

--- Runs openssl in the folder.
function authority_methods:openssl(arguments)
	return run(("cd %s && openssl %s"):format(quote(self.path), arguments))
end

--- An authority: ca.pem and ca.key in `path`.
local function new(path, subject)
	run(("openssl req -x509 %s -nodes -days 30 -subj %s -keyout %s -out %s"):format(key_options(),
		quote(subject or "/CN=Tide Test CA"), quote(path .. "/ca.key"), quote(path .. "/ca.pem")))
	run("chmod 600 " .. quote(path) .. "/*.key")
	return setmetatable({ path = path }, authority_mt)
end

return { new = new, run = run }
