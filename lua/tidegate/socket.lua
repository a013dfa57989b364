--- See docs/socket.md.

return require("tidegate.core.socket")
