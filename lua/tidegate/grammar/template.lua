--- Path templates: "/users/{id:int}/files/{path...}".

local lpeg = require("lpeg")

local types = require("tidegate.grammar.types")

local P, R, S, V = lpeg.P, lpeg.R, lpeg.S, lpeg.V
local C, Cc, Cg, Ct = lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local space, control = S(" \t\r\n\v\f"), R("\0\31") + "\127"
local name = R("az", "AZ", "__") * R("az", "AZ", "09", "__") ^ 0
local braces = P({ "{" * (1 - S("{}") + V(1)) ^ 0 * "}" })
local type_text = (1 - S("{}") + braces) ^ 1

-- What cannot be read ends the template: the rest of it is skipped.
local function problem(pattern, message)
	return Ct(Cg(pattern / function(text) return message:format(text) end, "problem")) * P(1) ^ 0
end

local slash = P("/") * Cc("/")
local literal = C((1 - S("/{}*?#") - space - control) ^ 1)
local parameter = "{" * Ct(
	Cg(name, "name") * (Cg("..." * Cc(true), "rest") + ":" * Cg(type_text, "type")) ^ -1
) * "}"

local misread = problem(C(braces), "'%s' is none of {name}, {name:type} and {name...}")
	+ problem(C("{"), "a '%s' is never closed")
	+ problem(C("}"), "a '%s' closes nothing")
	+ problem(C(S("*?#")), "'%s' cannot stand in a path")
	+ problem(C(space), "white space cannot stand in a path")
	+ problem(C(control), "a control byte cannot stand in a path")

local tokens = Ct((slash + literal + parameter + misread) ^ 0)

-- Lists the pieces of each segment.
local function by_segment(list)
	local segments = {}
	for _, token in ipairs(list) do
		if token == "/" then
			segments[#segments + 1] = {}
		else
			table.insert(segments[#segments], token)
		end
	end
	return segments
end

local function check_parameter(piece, segment, seen)
	if seen[piece.name] then
		return ("it names '%s' twice"):format(piece.name)
	end
	seen[piece.name] = true
	if piece.rest and #segment > 1 then
		return ("{%s...} must be a whole segment"):format(piece.name)
	end
	if piece.type then
		local pattern, rank = types.compile(piece.type)
		if not pattern then
			return rank
		end
		piece.pattern, piece.rank = pattern, rank
	end
end

local function check_segment(segment, is_last, seen)
	if not is_last and #segment == 0 then
		return "it has an empty segment"
	end
	if #segment == 1 and (segment[1] == "." or segment[1] == "..") then
		return ("no request has a segment '%s'"):format(segment[1])
	end
	for i, piece in ipairs(segment) do
		if type(piece) == "table" then
			if type(segment[i - 1]) == "table" then
				return ("text must separate {%s} and {%s}"):format(segment[i - 1].name, piece.name)
			end
			if piece.rest and not is_last then
				return ("{%s...} must be the last segment"):format(piece.name)
			end
			local message = check_parameter(piece, segment, seen)
			if message then
				return message
			end
		end
	end
end

local function read(text)
	if text:sub(1, 1) ~= "/" then
		return nil, "it must begin with '/'"
	end
	local list = tokens:match(text)
	local last = list[#list]
	if type(last) == "table" and last.problem then
		return nil, last.problem
	end
	local segments, seen = by_segment(list), {}
	for i, segment in ipairs(segments) do
		local message = check_segment(segment, i == #segments, seen)
		if message then
			return nil, message
		end
	end
	return segments
end

-- A template that is what most are, whole segments of literal text or of one
-- plain parameter, needs no grammar.  Nil if it is any other.
local function read_plain(text)
	local segments, seen, at = {}, {}, 1
	while at <= #text do
		local segment, behind = text:match("^/([^/]+)()", at)
		local key = segment and segment:match("^{([%a_][%w_]*)}$")
		if key and not seen[key] then
			seen[key] = true
			segment = { name = key }
		elseif not segment or not segment:find("^[%w_~-][%w_~.-]*$") then
			return nil
		end
		segments[#segments + 1] = { segment }
		at = behind
	end
	return segments[1] and segments
end

--- Returns the segments of a template, or nil and a message.
--
-- A segment is a list of pieces: a string is literal text; a table is a
-- parameter with `name` and, if it has them, `type` (as written), `pattern` and
-- `rank` (see types.lua) or `rest`.  A trailing slash is a last segment without
-- pieces.
local function parse(text)
	local plain = read_plain(text)
	if plain then
		return plain
	end
	local segments, message = read(text)
	local foreign = text:match("/:([%a_][%w_]*)") or text:match("/%[([%w_.]+)%]")
	if foreign then
		segments, message = nil, ("a parameter is written {%s}"):format(foreign)
	end
	if not segments then
		return nil, ("malformed template '%s': %s"):format(text:gsub("%c", "?"), message)
	end
	return segments
end

local anything = C(P(1) ^ 1) * -1

--- Prepares a segment of literal text and parameters for `split`.
local function mixed(segment)
	local parts = { prefix = "", suffix = "" }
	for i, piece in ipairs(segment) do
		if type(piece) == "table" then
			parts[#parts + 1] = { pattern = piece.pattern or anything }
		elseif i == 1 then
			parts.prefix = piece
		elseif i == #segment then
			parts.suffix = piece
		else
			parts[#parts].behind = piece
		end
	end
	return parts
end

-- The value of the shortest text from `at` that fits and is followed by the
-- literal text `behind`, and where to go on.
local function take(part, text, at, last)
	local pattern, behind = part.pattern, part.behind
	if not behind then
		return at <= last and pattern:match(text:sub(at, last)) or nil
	end
	local from, to = text:find(behind, at + 1, true)
	while from and to <= last do
		local value = pattern:match(text:sub(at, from - 1))
		if value then
			return value, to + 1
		end
		from, to = text:find(behind, from + 1, true)
	end
end

--- Does `text` fit the prepared segment?  If `params` is given, the values are
-- put there under `names`, from the one behind `count`.
--
-- A parameter ends where it first can.  Nothing is tried again, so that a long
-- text with many possible ends costs little.
local function split(parts, text, params, names, count)
	local at, last = #parts.prefix + 1, #text - #parts.suffix
	if text:sub(1, at - 1) ~= parts.prefix or text:sub(last + 1) ~= parts.suffix then
		return false
	end
	for i = 1, #parts do
		local value, next_at = take(parts[i], text, at, last)
		if not value then
			return false
		end
		if params then
			params[names[count + i]] = value
		end
		at = next_at
	end
	return true
end

return { parse = parse, mixed = mixed, split = split }
