--- See docs/log.md.

return require("tidegate.core.log")
