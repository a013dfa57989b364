std = "lua54"
max_line_length = 120
files["tests"] = { std = "+busted", max_line_length = 160 } -- requests and handlers stand in one line
exclude_files = { "build", "build.luarocks" }
