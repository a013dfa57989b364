--- A request, made ready to be sent: checked, its content encoded, its head
-- written.  What is wrong with it raises, without a position.

local bodies = require("tidegate.http.body")
local core = require("tidegate.core.http")
local fields = require("tidegate.http.fields")
local retry = require("tidegate.http.retry")
local trusts = require("tidegate.http.trust")
local url = require("tidegate.http.url")

local idempotent = { GET = true, HEAD = true, PUT = true, DELETE = true, OPTIONS = true, TRACE = true }
local announces = { POST = true, PUT = true, PATCH = true } -- that it has no content

-- Not for another origin (RFC 9110, 15.4).
local private = { ["authorization"] = true, ["cookie"] = true, ["proxy-authorization"] = true, ["host"] = true }

local request_methods = {}
local request_mt = { __name = "tidegate.http.request", __index = request_methods }

local function check_method(method)
	if not method:find("^[%w!#$%%&'*+.^_`|~-]+$") or method == "CONNECT" then
		error(("'%s' is no method of a request"):format(method), 0)
	end
	return method
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
	local where, plan = self.where, self.plan
	local host = self.has_host and "" or ("host: %s\r\n"):format(where.authority)
	local lines = table.concat(self.lines, "\r\n")
	self.head = ("%s %s HTTP/1.1\r\n%s%s%s%s\r\n"):format(self.method, where.target, host, frame(self),
		lines, lines ~= "" and "\r\n" or "")
	self.is_safe = idempotent[self.method] and (not self.body or type(self.body) == "string")
	plan.key = where.origin .. (plan.unix and " unix:" .. plan.unix or "")
	plan.host, plan.port = where.host, where.port
	plan.is_head = self.method == "HEAD"
	plan.url = url.text(where)
end

local function locate(options, defaults)
	if type(options.url) ~= "string" then
		error("a request needs a url, a string", 0)
	end
	local where, why = url.parse(url.join(defaults.base_url, options.url))
	if not where then
		error(why, 0)
	end
	if options.query and next(options.query) ~= nil then
		where.target = where.target .. (where.target:find("?", 1, true) and "&" or "?") .. url.encode_pairs(options.query)
	end
	return where
end

--- `options` and `defaults` were checked.
local function new(options, defaults)
	local function option(name, otherwise)
		local value = options[name]
		if value == nil then
			value = defaults[name]
		end
		if value == nil then
			return otherwise
		end
		return value
	end
	local method = check_method(options.method or "GET")
	local timeout = option("timeout")
	local decode = option("decode", true)
	local self = setmetatable({
		method = method,
		where = locate(options, defaults),
		tls = option("tls", {}),
		redirects = option("redirects", (method == "GET" or method == "HEAD") and 5 or 0),
		retry = retry.policy(option("retries", 0)),
	}, request_mt)
	local content_type
	self.body, content_type = bodies.encode(options)
	local lines, marks = fields.make(options, defaults, content_type, decode)
	self.lines, self.has_host = lines, marks.host
	self.plan = {
		unix = option("unix"),
		connections = option("connections", 256),
		keep = option("keep", 30),
		connect_timeout = option("connect_timeout", 10),
		first_byte_timeout = option("first_byte_timeout", 60),
		idle_timeout = option("idle_timeout", 60),
		max_size = option("max_size", 10 * 2 ^ 20),
		deadline = timeout and core.now() + timeout,
		decode = decode,
	}
	write(self)
	if next(self.tls) ~= nil then
		trusts.check(self.tls)
	end
	return self
end

local function keep_lines(self, wanted)
	local lines = {}
	for _, line in ipairs(self.lines) do
		local name = line:match("^[^:]*"):lower()
		if wanted(name) then
			lines[#lines + 1] = line
		end
	end
	self.lines = lines
end

--- For https: whom to trust; nil, message, code if that cannot be read.
function request_methods:secure()
	local plan = self.plan
	plan.trust = nil
	if self.where.scheme == "https" then
		local trust, name, code = trusts.of(self.tls)
		if not trust then
			return nil, name, code
		end
		plan.trust, plan.server_name = trust, self.tls.server_name or self.where.host
		plan.key = ("%s %s %s"):format(plan.key, name, plan.server_name)
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
		self.has_host = false
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

return { new = new }
