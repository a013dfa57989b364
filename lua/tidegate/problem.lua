--- Answers for requests that failed: RFC 9457, or text for who asks for it.

local core = require("tidegate.core")
local failure = require("tidegate.failure")
local json = require("tidegate.json")
local log = require("tidegate.log")

local function title_of(status)
	local reason = core.reason(status)
	return reason ~= "" and reason or (status < 500 and "Client Error" or "Server Error")
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
		if err.logged then
			log.error(traceback)
		end
		local status, body, headers = answer(request, err.status, err.message)
		headers = headers or {}
		for name, value in pairs(err.headers or {}) do
			headers[name] = value
		end
		return status, body, headers
	end
	log.error(traceback)
	return answer(request, 500)
end

return { answer = answer, failed = failed }
