--- See docs/buffer.md.

return require("tidegate.core.buffer")
