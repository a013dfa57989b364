-- RFC 9110, 13: conditional requests.  The file has the tag "tide" and was
-- modified at SAME; /weak has the same tag, but weak.
local before, same, after =
	"Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"

local function ask(fields, target, method)
	return ("%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n"):format(method or "GET", target or "/file", fields)
end

local function row(section, sentence, fields, status, target)
	return { section, sentence, ask(fields, target), status, open = true, bare = status == 304 }
end

return {
	row("9110 13.1.1", "If-Match with the tag is answered", 'If-Match: "tide"', 200),
	row("9110 13.1.1", "with others it fails", 'If-Match: "ebb", "flow"', 412),
	row("9110 13.1.1", "one of a list is enough", 'If-Match: "ebb", "tide"', 200),
	row("9110 13.1.1", "* is true of what is there", "If-Match: *", 200),
	row("9110 13.1.1", "it compares strongly: not a weak tag of the client", 'If-Match: W/"tide"', 412),
	row("9110 13.1.1", "nor one of ours", 'If-Match: "tide"', 412, "/weak"),
	row("9110 13.1.2", "If-None-Match with the tag is 304", 'If-None-Match: "tide"', 304),
	row("9110 13.1.2", "with others it is answered", 'If-None-Match: "ebb"', 200),
	row("9110 13.1.2", "one of a list is enough", 'If-None-Match: "ebb", "tide"', 304),
	row("9110 13.1.2", "over two fields, too", 'If-None-Match: "ebb"\r\nIf-None-Match: "tide"', 304),
	row("9110 13.1.2", "* is 304 for what is there", "If-None-Match: *", 304),
	row("9110 13.1.2", "it compares weakly", 'If-None-Match: W/"tide"', 304),
	row("9110 13.1.2", "also with a weak tag of ours", 'If-None-Match: "tide"', 304, "/weak"),
	row("9110 13.1.3", "If-Modified-Since the same second is 304", "If-Modified-Since: " .. same, 304),
	row("9110 13.1.3", "since a second before it is answered", "If-Modified-Since: " .. before, 200),
	row("9110 13.1.3", "what is no date is ignored", "If-Modified-Since: now", 200),
	row("9110 13.1.3", "it is ignored beside If-None-Match", 'If-None-Match: "ebb"\r\nIf-Modified-Since: ' .. after, 200),
	row("9110 5.6.7", "a date may be of RFC 850", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304),
	row("9110 5.6.7", "or of asctime()", "If-Modified-Since: Sun Nov  6 08:49:37 1994", 304),
	row("9110 13.1.4", "If-Unmodified-Since the same second is answered", "If-Unmodified-Since: " .. same, 200),
	row("9110 13.1.4", "since a second before it fails", "If-Unmodified-Since: " .. before, 412),
	row("9110 13.1.4", "what is no date is ignored", "If-Unmodified-Since: yesterday", 200),
	row("9110 13.1.4", "it is ignored beside If-Match", 'If-Match: "tide"\r\nIf-Unmodified-Since: ' .. before, 200),
	row("9110 13.2.1", "none of them changes another status", 'If-None-Match: *\r\nIf-Match: "ebb"', 404, "/absent"),
	row("9110 13.2.2", "If-Match is weighed first", 'If-None-Match: "tide"\r\nIf-Match: "ebb"', 412),
	row("9110 13.2.2", "If-None-Match comes after it", 'If-Match: "tide"\r\nIf-None-Match: "tide"', 304),
	{
		"9110 13.1.2", "HEAD is answered with 304, too", ask('If-None-Match: "tide"', "/file", "HEAD"), 304,
		method = "HEAD", open = true, bare = true,
	},
}
