--- `tls` of an address to listen on: the forms it may have, made one.

local function is_file(value)
	return type(value) == "string" and value ~= "" and not value:find("\0", 1, true)
end

local function one_of(...)
	local set = {}
	for _, word in ipairs({ ... }) do
		set[word] = true
	end
	return function(value)
		return set[value] or false
	end
end

local pair_keys = {
	certificate = { "a file", is_file },
	key = { "a file", is_file },
	ocsp = { "a file", is_file },
}
local keys = {
	client_ca = { "a file", is_file },
	minimum = { "'1.2' or '1.3'", one_of("1.2", "1.3") },
	verify = { "'require' or 'optional'", one_of("require", "optional") },
}
for key, known in pairs(pair_keys) do
	keys[key] = known
end

local expected = "{ certificate = FILE, key = FILE } or a list of them"

-- One certificate: by name, or as { CERTIFICATE, KEY }.
local function pair(value)
	return {
		certificate = value.certificate or value[1],
		key = value.key or value[2],
		ocsp = value.ocsp,
	}
end

local function is_list(value)
	return type(value[1]) == "table"
end

--- { certificates = { { certificate =, key =, ocsp = }, ... }, client_ca =,
-- verify =, minimum = }
local function normalize(value)
	local list = {}
	if is_list(value) then
		for i, item in ipairs(value) do
			list[i] = pair(item)
		end
	else
		list[1] = pair(value)
	end
	return {
		certificates = list,
		client_ca = value.client_ca,
		verify = value.verify or value.client_ca and "require",
		minimum = value.minimum,
	}
end

-- Named keys must be known; what stands without a name is counted.
local function check_keys(value, known, check_key)
	for key, one in pairs(value) do
		if type(key) == "string" then
			check_key(key, one, known)
		end
	end
end

local function is_pair(value)
	local one = pair(value)
	local by_name = value.certificate ~= nil or value.key ~= nil
	return is_file(one.certificate) and is_file(one.key) and #value == (by_name and 0 or 2)
end

--- Raises by `check_key(key, value, known)` for a named key; returns what is
-- wrong with the whole, or nil.
local function check(value, check_key)
	check_keys(value, is_list(value) and {
		client_ca = keys.client_ca,
		minimum = keys.minimum,
		verify = keys.verify,
	} or keys, check_key)
	for _, item in ipairs(is_list(value) and value or { value }) do
		if type(item) ~= "table" then
			return "'tls' must be " .. expected
		end
		if item ~= value then
			check_keys(item, pair_keys, check_key)
		end
		if not is_pair(item) then
			return "'tls' must be " .. expected
		end
	end
	if value.verify and not value.client_ca then
		return "'verify' needs 'client_ca', the file of who signs clients' certificates"
	end
end

return { check = check, normalize = normalize, expected = expected }
