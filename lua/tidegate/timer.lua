--- See docs/timer.md.

return require("tidegate.core.timer")
