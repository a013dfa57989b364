--- Node with its own http module, and nothing else.  A work's handler is
-- JavaScript that sets `answer = (request, response) => { }`.

local system = require("bench.lib.system")

local before = [[
"use strict";
const fs = require("fs"), http = require("http"), https = require("https"), crypto = require("crypto");
let answer;
]]

local plain = [[
const server = http.createServer(answer);
]]

local secure = [[
const server = https.createServer({ cert: fs.readFileSync(%q), key: fs.readFileSync(%q) }, answer);
]]

local after = [[
server.keepAliveTimeout = 75000;
server.listen(%d, "127.0.0.1", 4096);
]]

return {
	title = "Node, http",
	order = 6,

	version = function()
		return "node " .. system.output("node --version")
	end,

	command = function(place, handler)
		local listen = place.secure and secure:format(place.certificate, place.key) or plain
		place:write("work.js", before .. handler .. listen .. after:format(place.port))
		return ("node %s/work.js"):format(place.folder)
	end,
}
