--- A request, made ready to be sent: checked, its content encoded, its head
-- written.  What is wrong with it raises, without a position.

local bodies = require("tidegate.http.body")
local core = require("tidegate.core.http")
local fields = require("tidegate.http.fields")
local retry = require("tidegate.http.retry")
local url = require("tidegate.http.url")

local idempotent = { GET = true, HEAD = true, PUT = true, DELETE = true, OPTIONS = true, TRACE = true }
local announces = { POST = true, PUT = true, PATCH = true } -- that it has no content

-- Not for another origin (RFC 9110, 15.4).
local private = { ["authorization"] = true, ["cookie"] = true, ["proxy-authorization"] = true, ["host"] = true }

-- Of `tls`, too: what is shown to one origin, and the name of that one.
local private_tls = { certificate = true, key = true, server_name = true }

local request_methods = {}
local request_mt = { __name = "tidegate.http.request", __index = request_methods }

local function check_method(method)
	if idempotent[method] or announces[method] then
		return
	end
	if not method:find("^[%w!#$%%&'*+.^_`|~-]+$") or method == "CONNECT" then
		error(("'%s' is no method of a request"):format(method), 0)
	end
end

-- What is wrong raises here; what cannot be read is told when it is needed.
local function check_tls(options)
	if options.alpn then
		error("'alpn' of tls is not for requests: they speak HTTP/1.1", 0)
	end
	core.trust(options)
end

local function frame(self)
	local body = self.body
	if type(body) == "function" then
		return "transfer-encoding: chunked\r\n"
	elseif body then
		return ("content-length: %d\r\n"):format(#body)
	end
	return announces[self.method] and "content-length: 0\r\n" or ""
end

-- Writes head and plan for where the request goes now.
local function write(self)
	local where, plan, sent = self.where, self.plan, self.fields
	local host = sent.has_host and "" or "host: " .. where.authority .. "\r\n"
	self.head = self.method .. " " .. where.target .. " HTTP/1.1\r\n" .. host .. frame(self) .. sent.text .. "\r\n"
	self.is_safe = idempotent[self.method] and (not self.body or type(self.body) == "string")
	self.key = plan.unix and where.origin .. " unix:" .. plan.unix or where.origin
	plan.key, plan.host, plan.port = self.key, where.host, where.port
	plan.is_head = self.method == "HEAD"
	plan.url = where.text
end

local function locate(given, options, defaults)
	if type(given) ~= "string" then
		error("a request needs a url, a string", 0)
	end
	local where, why = url.parse(url.join(defaults.base_url, given))
	if not where then
		error(why, 0)
	end
	if options.query and next(options.query) ~= nil then
		return url.with_query(where, options.query)
	end
	return where
end

-- What counts unless it is set.
local presets = {
	decode = true,
	tls = {},
	retries = 0,
	connections = 256,
	keep = 30,
	connect_timeout = 10,
	first_byte_timeout = 60,
	idle_timeout = 60,
	max_size = 10 * 2 ^ 20,
}

local function overlay(under, over)
	local both = {}
	for name, value in pairs(under) do
		both[name] = value
	end
	for name, value in pairs(over) do
		both[name] = value
	end
	return both
end

--- What a client knows beforehand: all options, and the fields of requests that
-- add none.
local function defaults_of(options)
	local defaults = overlay(presets, options)
	defaults.prepared = fields.prepare(options)
	return defaults
end

-- All that counts: what the request says, and else the client.
local function settle(options, defaults)
	return next(options) == nil and defaults or overlay(defaults, options)
end

--- `options` were checked; `defaults` are those of a client.
local function new(method, given, options, defaults)
	check_method(method)
	local settled = settle(options, defaults)
	local timeout, decode, redirects = settled.timeout, settled.decode, settled.redirects
	local body, content_type = bodies.encode(options)
	local self = setmetatable({
		head = false, is_safe = false, key = false, -- made as large as write() fills them
		method = method,
		where = locate(given, options, defaults),
		tls = settled.tls,
		redirects = redirects or (method == "GET" or method == "HEAD") and 5 or 0,
		retry = retry.policy(settled.retries),
		body = body,
		fields = fields.make(options, defaults, content_type, decode),
		plan = {
			key = false, host = false, port = false, url = false, is_head = false, fresh = false,
			unix = settled.unix,
			connections = settled.connections,
			keep = settled.keep,
			connect_timeout = settled.connect_timeout,
			first_byte_timeout = settled.first_byte_timeout,
			idle_timeout = settled.idle_timeout,
			max_size = settled.max_size,
			deadline = timeout and core.now() + timeout,
			decode = decode,
		},
	}, request_mt)
	write(self)
	if next(self.tls) ~= nil then
		check_tls(self.tls)
	end
	return self
end

local function keep_lines(self, wanted)
	local lines = {}
	for _, line in ipairs(self.fields.lines) do
		local name = line:match("^[^:]*"):lower()
		if wanted(name) then
			lines[#lines + 1] = line
		end
	end
	self.fields = { lines = lines, text = fields.join(lines), has_host = self.fields.has_host }
end

local function for_anybody(tls)
	local rest = {}
	for name, value in pairs(tls) do
		rest[name] = not private_tls[name] and value or nil
	end
	return rest
end

--- For https: whom to trust; nil, message, code if that cannot be read.
function request_methods:secure()
	local plan = self.plan
	plan.trust = nil
	if self.where.scheme == "https" then
		local trust, name, code = core.trust(self.tls)
		if not trust then
			return nil, name, code
		end
		plan.trust, plan.server_name = trust, name or self.where.host
		plan.key = ("%s %s %s"):format(self.key, plan.server_name, trust)
	end
	return true
end

--- Goes where a response points to; nil, message, code if it cannot.
function request_methods:redirect(response)
	local status, location = response.status, response.headers.location
	local where, why = url.resolve(self.where, location)
	if not where then
		return nil, "the redirect leads nowhere: " .. why, "malformed"
	end
	local other = where.origin ~= self.where.origin
	if other and self.plan.unix then
		return nil, "the redirect leads away from the unix socket", "redirects"
	end
	if self.method ~= "HEAD" and (status == 303 or self.method == "POST" and (status == 301 or status == 302)) then
		self.method, self.body = "GET", nil
		keep_lines(self, function(name) return not name:find("^content%-") end)
	elseif self.body and type(self.body) ~= "string" then
		return nil, "the redirect asks for the content once more", "redirects"
	end
	if other then
		keep_lines(self, function(name) return not private[name] end)
		self.fields.has_host = false
		self.tls = for_anybody(self.tls)
	end
	self.where = where
	write(self)
	return true
end

--- May it be sent again after a failure of that code?
function request_methods:may_repeat(code)
	local unsent = code == "resolve" or code == "refused" or code == "unreachable"
	return self.is_safe or unsent and (not self.body or type(self.body) == "string")
end

return { new = new, defaults_of = defaults_of }
