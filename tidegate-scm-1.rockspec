rockspec_format = "3.0"
package = "tidegate"
version = "scm-1"
source = {
	url = "git+file://.", -- built where it lies: `luarocks make`
}
description = {
	summary = "The HTTP gateway you script in Lua and can edit while it runs",
	license = "MIT",
}
supported_platforms = { "linux" }
dependencies = {
	"lua >= 5.4, < 5.5",
	"lpeg >= 1.0",
}
external_dependencies = {
	LIBEVENT = { header = "event2/event.h" },
	SQLITE = { header = "sqlite3.h" },
	ZLIB = { header = "zlib.h" },
}
build = {
	type = "cmake",
	variables = {
		CMAKE_INSTALL_PREFIX = "$(PREFIX)",
		CMAKE_BUILD_TYPE = "Release",
		BUILD_TESTING = "OFF",
	},
}
