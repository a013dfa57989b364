--- Hello by TLS, on connections that stay.

local hello = require("bench.works.hello")

local handlers = {}
for peer, handler in pairs(hello.handlers) do
	handlers[peer] = peer ~= "floor" and handler or nil
end

return {
	title = "hello by TLS",
	order = 50,
	about = "Hello on 16 keep-alive connections with TLS 1.3; the certificate is of an elliptic key (P-256).",
	ask = { path = hello.ask.path, secure = true },
	expect = hello.expect,
	handlers = handlers,
}
