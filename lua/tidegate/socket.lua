--- See docs/socket.md.

return {
	connect = require("tidegate.core.socket").connect,
	udp = require("tidegate.core.udp"),
}
