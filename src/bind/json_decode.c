// SPDX-License-Identifier: MIT
/*
 * The decoder: recursive descent over the text, building the value on the Lua
 * stack.  It holds no memory of its own, so whatever raises loses nothing.
 */
#include <lauxlib.h>
#include <math.h>

#include "bind/json.h"
#include "bind/json_codec.h"

#define MAX_HINT 64
#define NAMES 32     /* that are remembered */
#define NAME_MOST 32 /* bytes of one */

/* How large the last table at each depth became: the next one is like it, in
 * this text and in others that come to this thread. */
static _Thread_local unsigned char hints[TG_JSON_DEPTH + 1];

struct name {
    const char *text; /* in the text that is decoded */
    size_t len;
};

struct decoder {
    lua_State *L;
    const char *at, *end, *text;
    int depth, array_metatable;
    int first_name;           /* where on the stack the strings of these are: */
    struct name names[NAMES]; /* keys that may well come again */
    const char *problem;      /* what is wrong at `at`, */
    const char *expected;     /* or what should be there */
};

/* --- failing --- */

static bool expected(struct decoder *d, const char *what)
{
    d->expected = what;
    return false;
}

static bool refuse(struct decoder *d, const char *at, const char *problem)
{
    d->at = at;
    d->problem = problem;
    return false;
}

static void push_found(struct decoder *d)
{
    unsigned char c;
    size_t len;

    if (d->at == d->end) {
        lua_pushliteral(d->L, "the end of the text");
        return;
    }
    c = (unsigned char)*d->at;
    len = c < 0x80 ? 1 : tg_json_utf8(d->at, d->end);
    if (!len || c < 0x20 || c == 0x7f) {
        const char *digits = "0123456789abcdef";

        lua_pushfstring(d->L, "byte 0x%c%c", digits[c >> 4], digits[c & 15]);
        return;
    }
    lua_pushlstring(d->L, d->at, len);
    lua_pushfstring(d->L, "'%s'", lua_tostring(d->L, -1));
    lua_remove(d->L, -2);
}

/* Columns count characters, from 1. */
static void push_failure(struct decoder *d)
{
    lua_Integer line = 1, column = 1;
    const char *at;

    for (at = d->text; at < d->at; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*at & 0xc0) != 0x80) {
            column++;
        }
    }
    lua_pushfstring(d->L, "line %I, column %I: ", (LUAI_UACINT)line,
                    (LUAI_UACINT)column);
    if (d->problem) {
        lua_pushstring(d->L, d->problem);
    } else {
        push_found(d);
        lua_pushfstring(d->L, "expected %s but found %s", d->expected,
                        lua_tostring(d->L, -1));
        lua_remove(d->L, -2);
    }
    lua_concat(d->L, 2);
}

/* --- reading --- */

static inline int peek(const struct decoder *d)
{
    return d->at < d->end ? (unsigned char)*d->at : -1;
}

/* Skips white space and returns what follows it. */
static inline int skip_space(struct decoder *d)
{
    for (;; d->at++) {
        int c = peek(d);

        if (c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r'))
            return c;
    }
}

static int hex_digit(int c)
{
    if ('0' <= c && c <= '9')
        return c - '0';
    c |= 0x20;
    return 'a' <= c && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the four digits behind "\u"; returns -1, with `at` there, if one is
 * none. */
static int read_unit(struct decoder *d)
{
    int i, digit, unit = 0;

    for (i = 0; i < 4; i++, d->at++) {
        digit = d->at < d->end ? hex_digit((unsigned char)*d->at) : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *put_utf8(char *out, int c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xe0 | c >> 12);
        } else {
            *out++ = (char)(0xf0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

/* Reads what follows "\u": one unit, or both of a surrogate pair. */
static bool read_unicode(struct decoder *d, char **out)
{
    const char *start = d->at - 2;
    int low, c = read_unit(d);

    if (c < 0)
        return expected(d, "a hexadecimal digit");
    if (0xd800 <= c && c < 0xe000) {
        if (c >= 0xdc00 || d->end - d->at < 2 || d->at[0] != '\\' ||
            d->at[1] != 'u')
            return refuse(d, start, "lone surrogate");
        d->at += 2;
        low = read_unit(d);
        if (low < 0)
            return expected(d, "a hexadecimal digit");
        if (low < 0xdc00 || 0xe000 <= low)
            return refuse(d, start, "lone surrogate");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *out = put_utf8(*out, c);
    return true;
}

static bool read_escape(struct decoder *d, char **out)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    int c;

    d->at++;
    c = peek(d);
    if (c == 'u') {
        d->at++;
        return read_unicode(d, out);
    }
    letter = c > 0 ? strchr(letters, c) : NULL;
    if (!letter)
        return expected(d, "an escape");
    *(*out)++ = bytes[letter - letters];
    d->at++;
    return true;
}

/* Skips a run that stands for itself; returns what ended it. */
static inline int skip_run(struct decoder *d)
{
    for (;;) {
        size_t len;
        int c;

        d->at = tg_json_skip_plain(d->at, d->end);
        c = peek(d);
        if (c < 0x80)
            return c;
        do {
            len = tg_json_utf8(d->at, d->end);
            if (!len)
                return c;
            d->at += len;
        } while (peek(d) >= 0x80);
    }
}

static bool refuse_in_string(struct decoder *d)
{
    int c = peek(d);

    if (c < 0)
        return expected(d, "'\"' at the end of the string");
    return expected(d, c < 0x20 ? "an escaped control character" : "UTF-8");
}

/* Copies what begins at `start`, and has its first escape at `d->at`, up to the
 * closing quote. */
static bool unescape(struct decoder *d, const char *start, char **out)
{
    for (;;) {
        size_t len = (size_t)(d->at - start);

        memcpy(*out, start, len);
        *out += len;
        if (peek(d) != '\\')
            break;
        if (!read_escape(d, out))
            return false;
        start = d->at;
        skip_run(d);
    }
    return peek(d) == '"' || refuse_in_string(d);
}

static bool read_escaped(struct decoder *d, const char *start)
{
    const char *stop = d->at;
    luaL_Buffer text;
    char *first, *out;
    bool ok;

    while (stop < d->end && *stop != '"')
        stop += *stop == '\\' && stop + 1 < d->end ? 2 : 1;

    /* No escape is shorter than what it stands for. */
    first = luaL_buffinitsize(d->L, &text, (size_t)(stop - start));
    out = first;
    ok = unescape(d, start, &out);
    /* Finished in any case: Lua 5.4.4 can corrupt its stack when lua_settop
     * drops a buffer that is not. */
    luaL_pushresultsize(&text, ok ? (size_t)(out - first) : 0);
    d->at += ok;
    return ok;
}

static bool push_known(struct decoder *d, unsigned at, const char *text,
                       size_t len)
{
    const struct name *name = &d->names[at];

    if (name->len != len || memcmp(name->text, text, len) != 0)
        return false;
    lua_pushvalue(d->L, d->first_name + (int)at);
    return true;
}

/* Pushes a key; to find it among the last ones costs less than to make its
 * string again.  It has two places there. */
static void push_name(struct decoder *d, const char *text, size_t len)
{
    unsigned at;

    if (len - 1 >= NAME_MOST) { /* or none at all */
        lua_pushlstring(d->L, text, len);
        return;
    }
    at = (unsigned char)text[0] * 7u + (unsigned char)text[len - 1] * 3u +
         (unsigned)len;
    at %= NAMES;
    if (push_known(d, at, text, len) || push_known(d, at ^ 1, text, len))
        return;
    at ^= d->names[at].len > 0;
    lua_pushlstring(d->L, text, len);
    lua_copy(d->L, -1, d->first_name + (int)at);
    d->names[at] = (struct name){text, len};
}

/* Reads the string whose opening quote is at `d->at`. */
static inline bool read_string(struct decoder *d, bool is_key)
{
    const char *start = ++d->at;
    int c = skip_run(d);

    if (c == '"') {
        if (is_key)
            push_name(d, start, (size_t)(d->at - start));
        else
            lua_pushlstring(d->L, start, (size_t)(d->at - start));
        d->at++;
        return true;
    }
    return c == '\\' ? read_escaped(d, start) : refuse_in_string(d);
}

static bool read_number(struct decoder *d)
{
    const char *start = d->at;
    struct tg_json_number number;
    const char *what = tg_json_read_number(&d->at, d->end, &number);

    if (what)
        return expected(d, what);
    if (!number.is_float)
        lua_pushinteger(d->L, number.integer);
    else if (isinf(number.real))
        return refuse(d, start, "number out of range");
    else
        lua_pushnumber(d->L, number.real);
    return true;
}

static bool read_word(struct decoder *d, const char *word, size_t len)
{
    if ((size_t)(d->end - d->at) < len || memcmp(d->at, word, len) != 0)
        return expected(d, "a value");
    d->at += len;
    return true;
}

static bool read_value(struct decoder *d);

static bool enter(struct decoder *d)
{
    if (d->depth == TG_JSON_DEPTH || !lua_checkstack(d->L, LUA_MINSTACK))
        return refuse(d, d->at, "nested deeper than 100 levels");
    d->depth++;
    d->at++;
    return true;
}

static void leave(struct decoder *d, lua_Integer size)
{
    hints[d->depth] = size < MAX_HINT ? (unsigned char)size : MAX_HINT;
    d->depth--;
    d->at++;
}

static bool read_array(struct decoder *d)
{
    lua_State *L = d->L;
    lua_Integer size = 0;
    bool empty;

    if (!enter(d))
        return false;
    empty = skip_space(d) == ']';
    lua_createtable(L, empty ? 0 : hints[d->depth], 0);
    lua_pushvalue(L, d->array_metatable);
    lua_setmetatable(L, -2);
    while (!empty) {
        int c;

        if (!read_value(d))
            return false;
        lua_rawseti(L, -2, ++size);
        c = skip_space(d);
        if (c == ']')
            break;
        if (c != ',')
            return expected(d, "',' or ']'");
        d->at++;
    }
    leave(d, size);
    return true;
}

static bool read_object(struct decoder *d)
{
    lua_State *L = d->L;
    lua_Integer size = 0;
    bool empty;

    if (!enter(d))
        return false;
    empty = skip_space(d) == '}';
    lua_createtable(L, 0, empty ? 0 : hints[d->depth]);
    while (!empty) {
        int c;

        if (skip_space(d) != '"')
            return expected(d, size ? "a key" : "a key or '}'");
        if (!read_string(d, true))
            return false;
        if (skip_space(d) != ':')
            return expected(d, "':'");
        d->at++;
        if (!read_value(d))
            return false;
        lua_rawset(L, -3);
        size++;
        c = skip_space(d);
        if (c == '}')
            break;
        if (c != ',')
            return expected(d, "',' or '}'");
        d->at++;
    }
    leave(d, size);
    return true;
}

static bool read_value(struct decoder *d)
{
    int c = skip_space(d);

    switch (c) {
    case '"':
        return read_string(d, false);
    case '{':
        return read_object(d);
    case '[':
        return read_array(d);
    case 't':
        lua_pushboolean(d->L, true);
        return read_word(d, "true", 4);
    case 'f':
        lua_pushboolean(d->L, false);
        return read_word(d, "false", 5);
    case 'n':
        tg_json_push_null(d->L);
        return read_word(d, "null", 4);
    default:
        if (c == '-' || ('0' <= c && c <= '9'))
            return read_number(d);
        return expected(d, "a value");
    }
}

bool tg_json_decode(lua_State *L, const char *text, size_t len)
{
    int top = lua_gettop(L);
    struct decoder d = {.L = L, .text = text, .at = text, .end = text + len};
    bool ok;

    luaL_checkstack(L, LUA_MINSTACK + NAMES, "cannot decode the text");
    tg_json_push_array_metatable(L);
    d.array_metatable = top + 1;
    d.first_name = top + 2;
    lua_settop(L, top + 1 + NAMES);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        ok = refuse(&d, text, "byte order mark before the value");
    else
        ok = read_value(&d);
    if (ok && skip_space(&d) != -1)
        ok = expected(&d, "the end of the text");
    if (!ok) {
        lua_settop(L, top);
        push_failure(&d);
        return false;
    }
    lua_copy(L, -1, top + 1);
    lua_settop(L, top + 1);
    return true;
}
