--- The works that ask for a file, of any size.

--- A work of so many bytes on so many connections.
local function work(title, order, bytes, connections)
	local text = ("low tide at noon\n"):rep(bytes // 17 + 1):sub(1, bytes)
	return {
		title = title,
		order = order,
		about = ("A text file of %d bytes. The servers send it without their scripts, but for Node."):format(bytes),
		ask = { path = "/tide.txt", connections = connections },
		expect = text,
		files = { ["public/tide.txt"] = text },

		handlers = {
			tidegate = {
				["handlers/{path...}.lua"] = 'return require("tidegate.static") { root = "public" }\n',
			},
			nginx_lua = "location / { }",
			lighttpd = { config = "" },
			apache = { config = "" },
			node = [[
const path = require("path"), root = path.join(__dirname, "public");
answer = (request, response) => {
	const name = path.join(root, path.normalize(request.url));
	fs.stat(name, (error, status) => {
		if (error) {
			return response.writeHead(404).end();
		}
		response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": status.size });
		fs.createReadStream(name).pipe(response);
	});
};
]],
			floor = text,
		},
	}
end

return { work = work }
