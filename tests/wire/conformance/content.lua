-- RFC 9112, 6 and 7: content, its length and its chunks.
local function post(fields, content)
	return "POST /x HTTP/1.1\r\nHost: a\r\n" .. fields .. "\r\n" .. (content or "")
end
local function chunked(content)
	return post("Transfer-Encoding: chunked\r\n", content)
end
local smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
local length = "Content-Length: " .. #smuggled .. "\r\n"

local rows = {
	{ "6.2", "a length counts the bytes of the content", post("Content-Length: 5\r\n", "hello"), { "POST /x hello" } },
	{ "6.3", "a request without either has no content", post("", smuggled), { "POST /x ", "GET /smuggled " } },
	{ "6.3", "a length of nought is none", post("Content-Length: 0\r\n", smuggled), { "POST /x ", "GET /smuggled " } },
	{ "6.1", "a length and a coding are never together", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), 400 },
	{ "6.1", "in whichever order", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "5\r\nhello\r\n0\r\n\r\n"), 400 },
	{ "6.1", "chunked may be in capitals", post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"), { "POST /x hello" } },
	{ "6.1", "a coding that is not known is not implemented", post("Transfer-Encoding: gzip\r\n", smuggled), 501 },
	{ "6.1", "nor before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n" .. smuggled), 501 },
	{ "6.1", "identity is no coding any more", post("Transfer-Encoding: identity\r\n", smuggled), 501 },
	{ "6.1", "chunked is the last coding", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400 },
	{ "6.1", "chunked is applied once", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400 },
	{ "6.1", "also over two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400 },
	{ "6.1", "a list has no empty element", post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), 400 },
	{ "6.1", "an empty list is none", post("Transfer-Encoding:\r\n", smuggled), 400 },
	{ "6.1", "chunked has no parameters", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 501 },
	{ "6.1", "chunked is not quoted", post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), 501 },
	{ "6.1", "nor part of another word", post("Transfer-Encoding: xchunked\r\n", smuggled), 501 },
	{ "6.1", "nor has other white space around it", post("Transfer-Encoding: \11chunked\r\n", "0\r\n\r\n"), 400 },
	{ "6.1", "a request of HTTP/1.0 has no coding", "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "6.2", "a length that is sent once more is refused, if equal, too", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400 },
	{ "6.2", "and if not", post("Content-Length: 5\r\nContent-Length: 3\r\n", "hello"), 400 },
	{ "7.1", "content comes in chunks", chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), { "POST /x hello" } },
	{ "7.1", "sizes are hexadecimal, in either case", chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), { "POST /x 01234567890123456789" } },
	{ "7.1", "leading zeros are let pass", chunked("005\r\nhello\r\n000\r\n\r\n"), { "POST /x hello" } },
	{ "7.1", "what follows the last chunk is the next request", chunked("0\r\n\r\n" .. smuggled), { "POST /x ", "GET /smuggled " } },
	{ "7.1.1", "extensions are let pass", chunked("5;a=b;c;d=\"e;\\\"f\"\r\nhello\r\n0;x\r\n\r\n"), { "POST /x hello" } },
	{ "7.1.1", "but not without a name", chunked("5;\r\nhello\r\n0\r\n\r\n"), 400 },
	{ "7.1.1", "nor with an open quote", chunked("5;a=\"b\r\nhello\r\n0\r\n\r\n"), 400 },
	{ "7.1.1", "nor of any length", chunked("5;a=" .. ("b"):rep(300) .. "\r\nhello\r\n0\r\n\r\n"), 400 },
	{ "7.1.2", "trailer fields are taken", "POST /trailer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n", { "7" } },
	{ "7.1.2", "they are no fields of the request", chunked("0\r\nX-Show: yes\r\n\r\n"), { "POST /x " } },
	{ "7.1.2", "trailer fields are fields: no fold", chunked("0\r\nX: y\r\n z\r\n\r\n"), 400 },
	{ "7.1.2", "no bare LF", chunked("0\r\nX: y\n\r\n\r\n"), 400 },
	{ "7.1.2", "no space before the colon", chunked("0\r\nX : y\r\n\r\n"), 400 },
	{ "7.1.2", "more than 8 KiB of them are too much", chunked("0\r\n" .. ("X: yyyyyyyyyyyyyyyy\r\n"):rep(500) .. "\r\n"), 431 },
}

for value, why in pairs({
	["+5"] = "a sign", ["-0"] = "a minus", ["0x5"] = "a prefix", ["5, 5"] = "a list", ["5x"] = "a letter",
	[""] = "nothing", ["5 5"] = "a space", ["\11" .. "5"] = "a vertical tab", ["5.0"] = "a point",
	["99999999999999999999"] = "more than 63 bits", ["5;a=b"] = "a parameter", ['"5"'] = "quotes", ["٥"] = "other digits",
}) do
	rows[#rows + 1] = { "6.2", "a length has digits only, not " .. why, post("Content-Length: " .. value .. "\r\n", "hello"), 400 }
end

for size, why in pairs({
	["+5"] = "a sign", ["-5"] = "a minus", ["0x5"] = "a prefix", [" 5"] = "a space before it", ["\t5"] = "a tab before it",
	["5 junk"] = "words behind it", ["5 5"] = "two numbers", ["5\0zz"] = "a NUL", [""] = "nothing", ["g"] = "other letters",
	["8000000000000000"] = "more than 63 bits", ["10000000000000005"] = "more than 64 bits", ["5\r"] = "a CR too many",
}) do
	rows[#rows + 1] = { "7.1", "a chunk size has hexadecimal digits only, not " .. why, chunked(size .. "\r\nhello\r\n0\r\n\r\n"), 400 }
end

for content, why in pairs({
	["5\r\nhello0\r\n\r\n"] = "chunk data ends with CR and LF",
	["5\r\nhelloab\r\n0\r\n\r\n"] = "no more data than its size says comes before them",
	["5\nhello\n0\n\n"] = "a bare LF ends no chunk line",
	["5\r\nhello\n0\r\n\r\n"] = "nor chunk data",
	["\r\n5\r\nhello\r\n0\r\n\r\n"] = "no empty line comes before a size",
	["5\r\nhello\r\n\r\n0\r\n\r\n"] = "nor between chunks",
	[("1"):rep(5000)] = "a size that does not end is refused",
}) do
	rows[#rows + 1] = { "7.1", why, chunked(content), 400 }
end

for _, name in ipairs({ "Content-Length", "Transfer-Encoding", "Host", "Authorization", "Content-Type", "Trailer" }) do
	rows[#rows + 1] = { "9110 6.5.1", "no trailer field is " .. name, chunked(("0\r\n%s: 7\r\n\r\n"):format(name)), 400 }
end

for _, method in ipairs({ "GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PURGE", "PROPFIND" }) do
	local head = method .. " /x HTTP/1.1\r\nHost: a\r\n"
	local body = method == "HEAD" and "" or method .. " /x " .. smuggled
	rows[#rows + 1] = { "6", "content of " .. method .. " is content, by its length", head .. length .. "\r\n" .. smuggled, { body }, method = method }
	rows[#rows + 1] = { "6", "content of " .. method .. " is content, in chunks",
		head .. "Transfer-Encoding: chunked\r\n\r\n" .. ("%x\r\n%s\r\n0\r\n\r\n"):format(#smuggled, smuggled), { body }, method = method }
	rows[#rows + 1] = { "6.3", "content of " .. method .. " that nobody reads is dropped, not served",
		method .. " /lazy HTTP/1.1\r\nHost: a\r\n" .. length .. "\r\n" .. smuggled, { method == "HEAD" and "" or "lazy" }, method = method }
end

table.sort(rows, function(a, b) return a[1] == b[1] and a[2] < b[2] or a[1] < b[1] end)
return rows
