-- What tidegate.lua may say of TLS, and what is wrong with files.

local certificates = require("tests.support.certificates")
local program = require("tests.support.program")
local projects = require("tests.support.project")

describe("tls in tidegate.lua", function()
	local project

	lazy_setup(function()
		project = projects.new({ ["handlers/hello.lua"] = "return function() return 'hi' end" })
		local authority = certificates.new(project.path):issue("a", { names = { "a.test" } })
		authority:issue("b", { names = { "b.test" } }):issue("old", { names = { "old.test" }, days = -1 })
		authority:issue("nameless"):staple("a"):staple("b")
		authority:openssl("pkey -in a.key -aes256 -passout pass:x -out locked.key")
		authority:openssl("x509 -in a.pem -outform der -out der.pem")
		os.execute(("cd %s && cp a.key open.key && chmod 640 open.key && mkdir folder && : > empty.pem"):format(project.path))
		os.execute(("cd %s && { cat a.pem; head -3 b.pem; } > half.pem"):format(project.path))
		os.execute(("cd %s && mkfifo pipe.pem"):format(project.path))
	end)

	lazy_teardown(function()
		project:delete()
	end)

	-- `tidegate check` with this listen: errors, exit code.
	local function check(listen)
		project:write("tidegate.lua", "return {\n\tlisten = " .. listen:gsub("PROJECT", project.path) .. ",\n}\n")
		local _, errors, code = program.run("check", project.path)
		return errors:gsub(project.path .. "/", ""), code
	end

	for name, listen in pairs({
		["one address"] = "{ ':0', tls = { certificate = 'a.pem', key = 'a.key' } }",
		["one address in a list"] = "{ { ':0', tls = { 'a.pem', 'a.key' } }, '127.0.0.1:0' }",
		["several certificates"] = "{ ':0', tls = { { 'a.pem', 'a.key' }, { certificate = 'b.pem', key = 'b.key' } } }",
		["OCSP"] = "{ ':0', tls = { 'a.pem', 'a.key', ocsp = 'a.der' } }",
		["clients"] = "{ ':0', tls = { 'a.pem', 'a.key', verify = 'optional', client_ca = 'ca.pem' } }",
		["a minimum"] = "{ ':0', tls = { { 'a.pem', 'a.key' }, minimum = '1.3' } }",
		["the folder's full name"] = "{ ':0', tls = { 'PROJECT/a.pem', 'a.key' } }",
		["a redirect"] = "{ { ':0', redirect_https = true }, { ':0', redirect_https = 8443 } }",
	}) do
		it("may have " .. name, function()
			local errors, code = check(listen)
			assert.same({ "", 0 }, { errors, code })
		end)
	end

	local either = "'tls' must be { certificate = FILE, key = FILE } or a list of them"
	for listen, message in pairs({
		["{ ':0', tls = true }"] = either,
		["{ ':0', tls = {} }"] = either,
		["{ ':0', tls = { 'a.pem' } }"] = either,
		["{ ':0', tls = { 'a.pem', 'a.key', 'b.pem' } }"] = either,
		["{ ':0', tls = { certificate = 'a.pem' } }"] = either,
		["{ ':0', tls = { certificate = 'a.pem', key = 1 } }"] = "'key' must be a file",
		["{ ':0', tls = { certificate = 'a.pem\\0', key = 'a.key' } }"] = "'certificate' must be a file",
		["{ ':0', tls = { {}, { 'a.pem', 'a.key' } } }"] = either,
		["{ ':0', tls = { { 'a.pem', 'a.key' }, 'b.pem' } }"] = either,
		["{ ':0', tls = { certificat = 'a.pem', key = 'a.key' } }"] =
			"unknown setting 'certificat'; did you mean 'certificate'?",
		["{ ':0', tls = { { 'a.pem', 'a.key', verify = 'optional' } } }"] = "unknown setting 'verify'",
		["{ ':0', tls = { { 'a.pem', 'a.key' }, ocsp = 'a.der' } }"] = "unknown setting 'ocsp'",
		["{ ':0', tls = { 'a.pem', 'a.key', verify = true, client_ca = 'ca.pem' } }"] =
			"'verify' must be 'require' or 'optional'",
		["{ ':0', tls = { 'a.pem', 'a.key', verify = 'require' } }"] =
			"'verify' needs 'client_ca', the file of who signs clients' certificates",
		["{ ':0', tls = { 'a.pem', 'a.key', minimum = 1.2 } }"] = "'minimum' must be '1.2' or '1.3'",
		["{ ':0', tls = { 'a.pem', 'a.key', minimum = '1.1' } }"] = "'minimum' must be '1.2' or '1.3'",
		["{ ':0', tls = { 'a.pem', 'a.key' }, redirect_https = true }"] =
			"'redirect_https' is for an address without 'tls'",
		["{ ':0', redirect_https = 'http://x.test' }"] =
			"'redirect_https' must be true, a port, or an address such as 'https://www.example.org'",
		["{ ':0', redirect_https = 'https://x.test/' }"] =
			"'redirect_https' must be true, a port, or an address such as 'https://www.example.org'",
		["{ ':0', redirect_https = 70000 }"] =
			"'redirect_https' must be true, a port, or an address such as 'https://www.example.org'",
		["{ ':0', tsl = { 'a.pem', 'a.key' } }"] = "unknown setting 'tsl'; did you mean 'tls'?",
	}) do
		it("is refused with its line: " .. listen, function()
			local errors, code = check(listen)
			assert.same({ "tidegate: tidegate.lua:2: " .. message .. "\n", 1 }, { errors, code })
		end)
	end

	local function without_records(errors)
		return (errors:gsub('{"time[^\n]*\n', ""))
	end

	local no_certificate = "there is no certificate in PEM form in "
	for tls, message in pairs({
		["'none.pem', 'a.key'"] = "cannot read none.pem: No such file or directory",
		["'a.pem', 'none.key'"] = "cannot read none.key: No such file or directory",
		["'folder', 'a.key'"] = "cannot read folder: Is a directory",
		["'pipe.pem', 'a.key'"] = "cannot read pipe.pem: it is not a regular file",
		["'/dev/zero', 'a.key'"] = "cannot read /dev/zero: it is not a regular file",
		["'empty.pem', 'a.key'"] = no_certificate .. "empty.pem",
		["'der.pem', 'a.key'"] = no_certificate .. "der.pem",
		["'a.key', 'a.key'"] = no_certificate .. "a.key",
		["'half.pem', 'a.key'"] = "cannot use the certificate half.pem: bad end line",
		["'a.pem', 'a.pem'"] = "there is no private key in PEM form in a.pem",
		["'a.pem', 'b.key'"] = "the key b.key does not belong to the certificate a.pem",
		["'a.pem', 'locked.key'"] = "the key locked.key is encrypted, and nobody is there to type its passphrase: "
			.. "`openssl pkey -in locked.key` writes it without one",
		["'a.pem', 'a.key', ocsp = 'a.pem'"] = "there is no OCSP response in DER form in a.pem",
		["'a.pem', 'a.key', ocsp = 'b.der'"] = "the OCSP response b.der is about another certificate",
		["'a.pem', 'a.key', ocsp = 'none.der'"] = "cannot read none.der: No such file or directory",
		["'a.pem', 'a.key', client_ca = 'none.pem'"] = "cannot read none.pem: No such file or directory",
		["'a.pem', 'a.key', client_ca = 'a.key'"] = no_certificate .. "a.key",
	}) do
		it("is refused with the file: " .. tls, function()
			local listen = "{ '127.0.0.1:0', tls = { " .. tls .. " } }"
			local errors, code = check(listen)
			assert.same({ message .. "\n", 1 }, { without_records(errors), code })
			local _, later, exit = program.run("serve", project.path)
			assert.same({ message .. "\n", 1 }, { without_records(later:gsub(project.path .. "/", "")), exit })
		end)
	end

	for tls, message in pairs({
		["{ 'old.pem', 'old.key' }"] = "the certificate old.pem has expired",
		["{ 'a.pem', 'open.key' }"] = "the key open.key may be used by others than its owner: chmod 600 it",
		["{ { 'a.pem', 'a.key' }, { 'nameless.pem', 'nameless.key' } }"] =
			"the certificate nameless.pem has no DNS name (subjectAltName): no client will get it",
	}) do
		it("is warned of: " .. tls, function()
			local errors, code = check("{ ':0', tls = " .. tls .. " }")
			assert.equal(0, code)
			assert.equal(message, errors:match('^{"time":"[^"]*","level":"warn","msg":"([^\n]*)"}\n$'))
		end)
	end
end)

describe("tidegate version", function()
	it("names the OpenSSL", function()
		assert.match("\nOpenSSL 3%.", (program.run("version")))
	end)
end)
