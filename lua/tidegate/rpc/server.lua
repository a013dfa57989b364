--- A route that answers JSON-RPC calls.

local core = require("tidegate.core")
local failure = require("tidegate.rpc.failure")
local http_failure = require("tidegate.failure")
local json = require("tidegate.json")
local log = require("tidegate.log")
local message = require("tidegate.rpc.message")
local methods = require("tidegate.rpc.methods")
local suggest = require("tidegate.suggest")
local task = require("tidegate.task")

local kinds = {
	max_batch = "integer",
	concurrency = "integer",
	version1 = "boolean",
	any_content_type = "boolean",
}
local of_route = { use = true, path = true, host = true, limits = true }

local json_types = {
	["application/json"] = true,
	["application/json-rpc"] = true,
	["application/jsonrequest"] = true,
}

local function check_options(options, level)
	local names = { "use", "path", "host", "limits" }
	for name in pairs(kinds) do
		names[#names + 1] = name
	end
	if type(options) ~= "table" then
		error("serve() takes a table of options, not a " .. type(options), level)
	end
	for name, value in pairs(options) do
		local kind = kinds[name]
		if not kind and not of_route[name] then
			local hint = suggest.hint(tostring(name), names)
			error(("unknown option '%s' of rpc.serve%s"):format(tostring(name), hint), level)
		end
		if kind == "boolean" and type(value) ~= "boolean" then
			error(("'%s' of rpc.serve is a boolean, not a %s"):format(name, type(value)), level)
		end
		if kind == "integer" and not (math.type(value) == "integer" and value >= 1) then
			error(("'%s' of rpc.serve is an integer from 1"):format(name), level)
		end
	end
end

-- A page of another site makes a browser send other types without asking.
local function check_type(request)
	local given = request.headers["content-type"] or ""
	if not json_types[given:lower():match("^[^;%s]*")] then
		http_failure.raise(415, "send content-type: application/json")
	end
end

--- Runs in the place of an error: what the client is to be told.
local function explain(err)
	if failure.is(err) then
		return err
	elseif http_failure.is(err) and not err.logged then
		return failure.new(err.status, err.message or tostring(err.status))
	end
	return { blame = core.trace(err) }
end

local function invoke(method, call, request)
	local values, count = methods.arguments(method, call.params, call.is_list, request)
	local result, why = method.call(table.unpack(values, 1, count))
	if result == nil and why ~= nil then
		error("a method returned nil and a message: " .. tostring(why), 0)
	end
	return message.encode(result)
end

-- The text of the answer to one call, were it none that wants no answer.
local function respond(known, call, request)
	local method = not call.failure and known[call.method]
	local failed = call.failure
	if method then
		local ok, result = xpcall(invoke, explain, method, call, request)
		if ok then
			return message.result(call, result)
		elseif type(result) ~= "table" then -- no memory, or no time: the task ends
			error(result, 0)
		end
		failed = result
	elseif not failed then
		failed = failure.no_method()
	end
	if not failed.blame then
		local ok, text = pcall(message.failed, call, failed)
		if ok then
			return text
		end
		failed = { blame = text }
	end
	log.error(failed.blame, { method = call.method })
	return message.failed(call, failure.internal())
end

local function answer(known, call, request)
	local text = respond(known, call, request)
	return not call.is_notification and text or nil
end

-- Each call of a batch is a task, so that one that goes too far ends alone.
local function answer_all(known, calls, request, concurrency)
	local gate, handles, texts = task.semaphore(concurrency), {}, {}
	for i, call in ipairs(calls) do
		local permit = gate:acquire()
		handles[i] = task.spawn(function()
			local _ <close> = permit
			return answer(known, call, request)
		end)
	end
	for i, handle in ipairs(handles) do
		local ok, text = xpcall(handle.wait, core.trace, handle)
		if not ok then
			log.error(text, { method = calls[i].method })
			text = not calls[i].is_notification and message.failed(calls[i], failure.internal())
		end
		texts[#texts + 1] = text or nil
	end
	return #texts > 0 and "[" .. table.concat(texts, ",") .. "]" or nil
end

--- A route whose POST answers calls of these methods.  Mistakes raise where it
-- is called, so that they refuse the reload.
local function serve(given, options)
	local known = methods.check(given, 2)
	options = options or {}
	check_options(options, 3)
	local max_batch, concurrency = options.max_batch or 100, options.concurrency or 8

	local function batch(values, request)
		local why = #values == 0 and "an empty batch"
			or #values > max_batch and ("a batch of %d calls; %d are the most"):format(#values, max_batch)
		if why then
			return message.failed(message.nobody, failure.invalid(why))
		end
		local calls = {}
		for i, value in ipairs(values) do
			calls[i] = message.read(value, options.version1)
		end
		return answer_all(known, calls, request, concurrency)
	end

	local function text_for(request)
		local value, why = json.decode(request:text())
		if value == nil then
			return message.failed(message.nobody, failure.parse(why))
		elseif message.is_array(value) then
			return batch(value, request)
		end
		return answer(known, message.read(value, options.version1), request)
	end

	local route = {}
	for name in pairs(of_route) do
		route[name] = options[name]
	end
	function route.POST(request)
		if not options.any_content_type then
			check_type(request)
		end
		local text = text_for(request)
		if not text then
			return 204
		end
		return 200, text, { ["content-type"] = "application/json" }
	end
	return route
end

return { serve = serve }
