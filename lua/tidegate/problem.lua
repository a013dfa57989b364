--- Answers for requests that failed: RFC 9457, or text for who asks for it.

local failure = require("tidegate.failure")
local json = require("tidegate.json")
local log = require("tidegate.log")

local titles = {
	[400] = "Bad Request",
	[401] = "Unauthorized",
	[403] = "Forbidden",
	[404] = "Not Found",
	[405] = "Method Not Allowed",
	[406] = "Not Acceptable",
	[408] = "Request Timeout",
	[409] = "Conflict",
	[410] = "Gone",
	[411] = "Length Required",
	[412] = "Precondition Failed",
	[413] = "Content Too Large",
	[414] = "URI Too Long",
	[415] = "Unsupported Media Type",
	[416] = "Range Not Satisfiable",
	[417] = "Expectation Failed",
	[422] = "Unprocessable Content",
	[428] = "Precondition Required",
	[429] = "Too Many Requests",
	[431] = "Request Header Fields Too Large",
	[451] = "Unavailable For Legal Reasons",
	[500] = "Internal Server Error",
	[501] = "Not Implemented",
	[502] = "Bad Gateway",
	[503] = "Service Unavailable",
	[504] = "Gateway Timeout",
}

local function title_of(status)
	return titles[status] or (status < 500 and "Client Error" or "Server Error")
end

-- Text only for who names it and does not name JSON: a browser, or a person.
local function wants_text(request)
	local accept = request.headers["accept"]
	return accept and accept:find("text/", 1, true) and not accept:find("json", 1, true)
end

--- Returns status, body and headers for a status and an optional detail.
local function answer(request, status, detail)
	local title = title_of(status)
	if wants_text(request) then
		local text = ("%d %s\n"):format(status, title)
		if detail then
			text = text .. detail .. "\n"
		end
		return status, text
	end
	local body = {
		type = "about:blank",
		title = title,
		status = status,
		detail = detail,
		instance = status >= 500 and "urn:request:" .. request.id or nil,
	}
	return status, json.encode(body, { sort = true }) .. "\n", { ["content-type"] = "application/problem+json" }
end

--- What a request is answered with when its handler has raised `err`.
local function failed(request, err, traceback)
	if failure.is(err) then
		return answer(request, err.status, err.message)
	end
	log.error(traceback)
	return answer(request, 500)
end

return { answer = answer, failed = failed, title_of = title_of }
