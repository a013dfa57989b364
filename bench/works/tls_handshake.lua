--- Hello by TLS, with a connection and a handshake for each request.

local tls_hello = require("bench.works.tls_hello")

return {
	title = "hello by TLS, new connections",
	order = 51,
	about = "Each request comes on a connection of its own. wrk resumes its session where it was given a ticket.",
	ask = { path = tls_hello.ask.path, secure = true, headers = { Connection = "close" } },
	expect = tls_hello.expect,
	handlers = tls_hello.handlers,
}
