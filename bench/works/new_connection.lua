--- Hello with a connection for each request.

local hello = require("bench.works.hello")

return {
	title = "hello, new connections",
	order = 12,
	about = "Each request comes on a connection of its own, with `Connection: close`.",
	ask = { path = hello.ask.path, headers = { Connection = "close" } },
	expect = hello.expect,
	handlers = hello.handlers,
}
