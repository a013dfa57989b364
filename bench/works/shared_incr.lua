--- A counter that all threads, or all processes, share.

return {
	title = "shared dictionary, incr",
	order = 45,
	about = "A counter of the dictionary that all threads (for nginx, all processes) share is incremented and sent.",
	ask = { path = "/count" },
	expect = function(body) return body:match("^%d+\n$") end,

	handlers = {
		tidegate = {
			["handlers/count.lua"] = [[
local counters = require("tidegate.shared").open("counters")
return function()
	return counters:incr("hits") .. "\n"
end
]],
		},
		nginx_lua = {
			http = "lua_shared_dict counters 10m;",
			server = [[
location /count {
	content_by_lua_block {
		local text = ngx.shared.counters:incr("hits", 1, 0) .. "\n"
		ngx.header.content_length = #text
		ngx.print(text)
	}
}
]],
		},
	},
}
