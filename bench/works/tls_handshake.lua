--- Hello by TLS, with a handshake for each request.

local tls_hello = require("bench.works.tls_hello")

return {
	title = "hello by TLS, new handshakes",
	order = 51,
	about = "Each request comes on a connection of its own, behind a full handshake.",
	ask = { path = tls_hello.ask.path, secure = true, headers = { Connection = "close" } },
	expect = tls_hello.expect,
	handlers = tls_hello.handlers,
}
