// SPDX-License-Identifier: MIT
/*
 * tidegate.response, its cookies (RFC 6265bis).
 *
 *     response:cookie(name, value [, options])    sets one
 *     response:cookie(name, nil [, options])      deletes it
 *
 * What a browser would refuse or misread raises at the caller's line.
 */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "bind/bind.h"
#include "bind/response_cookie.h"
#include "http/cookie.h"
#include "http/exchange.h"

enum { COOKIE_MOST = 4096 };

/* Index 1: the response, 2: name, 3: value, 4: options. */
enum { NAME = 2, VALUE, OPTIONS };

static void check_option_names(lua_State *L)
{
    static const char *const names[] = {"path",      "domain",      "max_age",
                                        "expires",   "secure",      "http_only",
                                        "same_site", "partitioned", NULL};

    lua_pushnil(L);
    while (lua_next(L, OPTIONS)) {
        const char *const *name = names;

        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            while (*name && strcmp(*name, lua_tostring(L, -1)) != 0)
                name++;
        if (lua_type(L, -1) != LUA_TSTRING || !*name)
            luaL_error(L, "a cookie has no option '%s'",
                       luaL_tolstring(L, -1, NULL));
    }
}

static bool is_set(lua_State *L, const char *option, bool otherwise)
{
    int type = lua_getfield(L, OPTIONS, option);
    bool yes = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "cookie option '%s' is true or false", option);
    lua_pop(L, 1);
    return yes;
}

/* Leaves the option's text on the stack; NULL if there is none. */
static const char *text_of(lua_State *L, const char *option)
{
    size_t len;
    const char *text;

    if (lua_getfield(L, OPTIONS, option) == LUA_TNIL)
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "cookie option '%s' is a string", option);
    text = lua_tolstring(L, -1, &len);
    if (len == 0 || !tg_cookie_is_attribute(text, len))
        luaL_error(L,
                   "cookie option '%s' is empty, or has a semicolon or a "
                   "control byte",
                   option);
    return text;
}

static const char *same_site_of(lua_State *L)
{
    const char *word = text_of(L, "same_site");

    if (!word)
        return "Lax";
    if (strcmp(word, "Lax") != 0 && strcmp(word, "Strict") != 0 &&
        strcmp(word, "None") != 0)
        luaL_error(L, "cookie option 'same_site' is 'Lax', 'Strict' or 'None'");
    return word;
}

static void add_times(lua_State *L, luaL_Buffer *out)
{
    char text[64];
    lua_Integer seconds;
    time_t when;
    struct tm tm;

    if (lua_getfield(L, OPTIONS, "max_age") != LUA_TNIL) {
        if (!lua_isinteger(L, -1))
            luaL_error(L, "cookie option 'max_age' is whole seconds");
        seconds = lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_pushfstring(L, "; Max-Age=%I", (LUAI_UACINT)seconds);
        luaL_addvalue(out);
    } else {
        lua_pop(L, 1);
    }
    if (lua_getfield(L, OPTIONS, "expires") != LUA_TNIL) {
        if (!lua_isnumber(L, -1) || lua_tonumber(L, -1) < 0 ||
            lua_tonumber(L, -1) > 253402300799.0) /* the year 9999 */
            luaL_error(L, "cookie option 'expires' is a time, as os.time()");
        when = (time_t)lua_tonumber(L, -1);
        lua_pop(L, 1);
        gmtime_r(&when, &tm);
        strftime(text, sizeof(text), "; Expires=%a, %d %b %Y %H:%M:%S GMT",
                 &tm);
        luaL_addstring(out, text);
    } else {
        lua_pop(L, 1);
    }
}

/* What browsers demand of names that begin so (4.1.3), and of attributes. */
static void check_rules(lua_State *L, const char *name, bool secure,
                        const char *path, const char *domain,
                        const char *same_site)
{
    bool host = strncasecmp(name, "__Host-", 7) == 0;

    if ((host || strncasecmp(name, "__Secure-", 9) == 0) && !secure)
        luaL_error(L, "cookie '%s' needs secure = true, as its name says",
                   name);
    if (host && (domain || strcmp(path, "/") != 0))
        luaL_error(L,
                   "cookie '%s' has no domain and the path '/', as its name "
                   "says",
                   name);
    if (strcmp(same_site, "None") == 0 && !secure)
        luaL_error(L, "same_site = 'None' needs secure = true");
    if (is_set(L, "partitioned", false) && !secure)
        luaL_error(L, "partitioned = true needs secure = true");
}

static void check_name_and_value(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, NAME, &len);

    if (!tg_headers_name_ok(text, len))
        luaL_error(L, "'%s' is no name of a cookie", text);
    if (lua_isnil(L, VALUE))
        return;
    text = luaL_checklstring(L, VALUE, &len);
    if (!tg_cookie_is_value(text, len))
        luaL_error(L,
                   "the value of cookie '%s' has a space, a quote, a comma, "
                   "a semicolon, a backslash or a byte outside ASCII: "
                   "encode it",
                   lua_tostring(L, NAME));
}

/* The one that is replaced: same name, path and domain. */
static void remove_same(struct tg_headers *headers, const char *key,
                        size_t key_len, const char *scope, size_t scope_len)
{
    int at = -1;

    while ((at = tg_headers_find(headers, "set-cookie", 10,
                                 (unsigned)at + 1)) >= 0) {
        size_t len;
        const char *value = tg_headers_value(headers, (unsigned)at, &len);

        if (len >= key_len && memcmp(value, key, key_len) == 0 &&
            memmem(value, len, scope, scope_len)) {
            tg_headers_remove_at(headers, (unsigned)at);
            return;
        }
    }
}

int tg_response_cookie(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_response_class);
    const char *name, *path, *domain, *same_site, *scope;
    size_t name_len, scope_len, len;
    bool secure, deletes;
    luaL_Buffer out;

    if (tg_exchange_stage(x) != TG_RESPONSE_OPEN)
        return luaL_error(L, "the response has begun: its headers are sent");
    lua_settop(L, OPTIONS);
    deletes = lua_isnil(L, VALUE);
    if (lua_isnil(L, OPTIONS)) {
        lua_newtable(L);
        lua_replace(L, OPTIONS);
    }
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    check_option_names(L);
    check_name_and_value(L);
    name = lua_tolstring(L, NAME, &name_len);
    path = text_of(L, "path");
    path = path ? path : "/";
    domain = text_of(L, "domain");
    same_site = same_site_of(L);
    secure = is_set(L, "secure", false);
    check_rules(L, name, secure, path, domain, same_site);
    scope = domain ? lua_pushfstring(L, "; Path=%s; Domain=%s;", path, domain)
                   : lua_pushfstring(L, "; Path=%s;", path);
    scope_len = strlen(scope);

    luaL_buffinit(L, &out);
    lua_pushfstring(L, "%s=%s", name, deletes ? "" : lua_tostring(L, VALUE));
    luaL_addvalue(&out);
    luaL_addlstring(&out, scope, scope_len);
    lua_pushfstring(L, " SameSite=%s", same_site);
    luaL_addvalue(&out);
    if (deletes)
        luaL_addstring(&out, "; Max-Age=0");
    else
        add_times(L, &out);
    if (is_set(L, "http_only", true))
        luaL_addstring(&out, "; HttpOnly");
    if (secure)
        luaL_addstring(&out, "; Secure");
    if (is_set(L, "partitioned", false))
        luaL_addstring(&out, "; Partitioned");
    luaL_pushresult(&out);
    lua_tolstring(L, -1, &len);
    if (len > COOKIE_MOST)
        return luaL_error(L, "cookie '%s' is larger than %d bytes", name,
                          COOKIE_MOST);
    lua_pushfstring(L, "%s=", name);
    remove_same(tg_exchange_response_headers(x), lua_tostring(L, -1),
                name_len + 1, scope, scope_len);
    tg_headers_add(tg_exchange_response_headers(x), "Set-Cookie", 10,
                   lua_tostring(L, -2), len);
    return 0;
}
