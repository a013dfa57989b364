--- Lua values as JSON text and back, strictly by RFC 8259.
--
-- `encode`, `decode`, `array` and `null`: see docs/json.md.

return require("tidegate.core.json")
