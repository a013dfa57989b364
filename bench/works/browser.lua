--- Hello with what a browser sends along.

local hello = require("bench.works.hello")

return {
	title = "hello, a browser's head",
	order = 11,
	about = "The same with nine more header fields, 600 bytes, as a browser sends them.",
	expect = hello.expect,
	handlers = hello.handlers,

	ask = {
		path = hello.ask.path,
		headers = {
			["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
			["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
			["Accept-Language"] = "en-GB,en;q=0.5",
			["Accept-Encoding"] = "gzip, deflate, br, zstd",
			["Upgrade-Insecure-Requests"] = "1",
			["Sec-Fetch-Dest"] = "document",
			["Sec-Fetch-Mode"] = "navigate",
			["Sec-Fetch-Site"] = "none",
			["Cookie"] = "session=0123456789abcdef0123456789abcdef; theme=dark; seen=harbour%2Ctides%2Cmoon",
		},
	},
}
