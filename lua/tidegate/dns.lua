--- See docs/dns.md.

return require("tidegate.core.dns")
