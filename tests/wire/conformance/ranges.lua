-- RFC 9110, 14: ranges.  The file has ten bytes, 0123456789.
local whole = "0123456789"

local function row(section, sentence, fields, status, body, range)
	return {
		section, sentence, ("GET /file HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n"):format(fields), status,
		open = true, body = body, range = range,
	}
end

return {
	row("9110 14.1.2", "the first and the last byte are named, from 0", "Range: bytes=0-3", 206, "0123", "bytes 0-3/10"),
	row("9110 14.1.2", "without a last one it is all the rest", "Range: bytes=7-", 206, "789", "bytes 7-9/10"),
	row("9110 14.1.2", "a last one beyond the end is the end", "Range: bytes=7-99", 206, "789", "bytes 7-9/10"),
	row("9110 14.1.2", "a suffix counts from the end", "Range: bytes=-2", 206, "89", "bytes 8-9/10"),
	row("9110 14.1.2", "a suffix longer than all is all", "Range: bytes=-99", 206, whole, "bytes 0-9/10"),
	row("9110 14.1.1", "a unit may be spelt in any case", "Range: Bytes=0-0", 206, "0", "bytes 0-0/10"),
	row("9110 14.1.1", "a unit that is not known is ignored", "Range: tides=0-3", 200, whole),
	row("9110 14.1.1", "what is malformed is ignored", "Range: bytes=3-0", 200, whole),
	row("9110 14.2", "ranges that overlap to more than all are ignored", "Range: bytes=0-,0-", 200, whole),
	row("9110 14.2", "so are more than 32", "Range: bytes=" .. ("1-1,"):rep(32) .. "2-2", 200, whole),
	row("9110 14.2", "of several, those outside are left out", "Range: bytes=50-,2-3", 206, "23", "bytes 2-3/10"),
	row("9110 15.5.17", "if none is inside it is 416, with the size", "Range: bytes=10-", 416, "", "bytes */10"),
	row("9110 15.5.17", "so is an empty suffix", "Range: bytes=-0", 416, "", "bytes */10"),
	row("9110 13.1.5", "If-Range with the tag lets it count", 'Range: bytes=0-0\r\nIf-Range: "tide"', 206, "0", "bytes 0-0/10"),
	row("9110 13.1.5", "with another it does not", 'Range: bytes=0-0\r\nIf-Range: "ebb"', 200, whole),
	row("9110 13.1.5", "nor with a weak one", 'Range: bytes=0-0\r\nIf-Range: W/"tide"', 200, whole),
	row("9110 13.1.5", "a date must be the same", "Range: bytes=0-0\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT", 206, "0", "bytes 0-0/10"),
	row("9110 13.1.5", "an earlier one is not", "Range: bytes=0-0\r\nIf-Range: Sun, 06 Nov 1994 08:49:36 GMT", 200, whole),
	row("9110 13.1.5", "nor a later one", "Range: bytes=0-0\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", 200, whole),
	row("9110 13.1.5", "without Range it says nothing", 'If-Range: "ebb"', 200, whole),
	{ "9110 14.2", "a range of HEAD is ignored", "HEAD /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3\r\n\r\n", 200, method = "HEAD", open = true },
	{ "9110 14.2", "one of POST is ignored", "POST /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3\r\nContent-Length: 0\r\n\r\n", 200, open = true, body = whole },
}
