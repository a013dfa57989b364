// SPDX-License-Identifier: MIT
/*
 * tidegate.response, its cookies (RFC 6265bis).
 *
 *     response:cookie(name, value [, options])   the client is to keep it
 *     response:cookie(name, nil [, options])     and this one to drop
 *
 * What a browser would refuse or misread raises.
 */
#include <math.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/response_cookie.h"
#include "http/cookie.h"
#include "http/exchange.h"
#include "http/headers.h"

enum { NAME = 2, VALUE, OPTIONS };

static const char set_cookie[] = "Set-Cookie";

static void misuse(lua_State *L, const char *option, const char *expected)
{
    luaL_error(L, "option '%s' of a cookie must be %s, not %s", option,
               expected, luaL_tolstring(L, -1, NULL));
}

static bool is_nil(lua_State *L, const char *option)
{
    return lua_getfield(L, OPTIONS, option) == LUA_TNIL;
}

/* The texts of options stay on the stack: nothing may collect them. */
static const char *text_of(lua_State *L, const char *option, size_t *len,
                           const char *otherwise)
{
    *len = otherwise ? strlen(otherwise) : 0;
    if (is_nil(L, option))
        return otherwise;
    if (lua_type(L, -1) != LUA_TSTRING)
        misuse(L, option, "a string");
    return lua_tolstring(L, -1, len);
}

static bool flag_of(lua_State *L, const char *option, bool otherwise)
{
    if (is_nil(L, option))
        return otherwise;
    if (!lua_isboolean(L, -1))
        misuse(L, option, "true or false");
    return lua_toboolean(L, -1);
}

static bool seconds_of(lua_State *L, const char *option, int64_t *seconds)
{
    lua_Number number;

    if (is_nil(L, option))
        return false;
    number = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(fabs(number) < 1e15))
        misuse(L, option, "a number of seconds");
    *seconds = (int64_t)floor(number);
    return true;
}

static enum tg_same_site same_site_of(lua_State *L)
{
    size_t len;
    const char *site = text_of(L, "same_site", &len, "Lax");

    if (strcmp(site, "Lax") == 0)
        return TG_SAME_SITE_LAX;
    if (strcmp(site, "Strict") == 0)
        return TG_SAME_SITE_STRICT;
    if (strcmp(site, "None") != 0)
        misuse(L, "same_site", "\"Lax\", \"Strict\" or \"None\"");
    return TG_SAME_SITE_NONE;
}

static void fill(lua_State *L, struct tg_cookie *cookie)
{
    bool removed = lua_isnil(L, VALUE);

    *cookie = (struct tg_cookie){.value = ""};
    cookie->name = luaL_checklstring(L, NAME, &cookie->name_len);
    if (!removed)
        cookie->value = luaL_checklstring(L, VALUE, &cookie->value_len);
    cookie->path = text_of(L, "path", &cookie->path_len, "/");
    cookie->domain = text_of(L, "domain", &cookie->domain_len, NULL);
    cookie->has_max_age = seconds_of(L, "max_age", &cookie->max_age);
    cookie->has_expires = seconds_of(L, "expires", &cookie->expires);
    cookie->secure = flag_of(L, "secure", false);
    cookie->http_only = flag_of(L, "http_only", true);
    cookie->partitioned = flag_of(L, "partitioned", false);
    cookie->same_site = same_site_of(L);
    if (removed && (cookie->has_max_age || cookie->has_expires))
        luaL_error(L, "a cookie without a value is removed: it takes neither "
                      "max_age nor expires");
    cookie->has_max_age |= removed;
}

static void remove_replaced(struct tg_headers *headers,
                            const struct tg_cookie *cookie)
{
    int at = -1;

    while ((at = tg_headers_find(headers, set_cookie, sizeof(set_cookie) - 1,
                                 (unsigned)(at + 1))) >= 0) {
        size_t len;
        const char *field = tg_headers_value(headers, (unsigned)at, &len);

        if (tg_cookie_replaces(cookie, field, len))
            tg_headers_remove_at(headers, (unsigned)at--);
    }
}

int tg_response_cookie(lua_State *L)
{
    static const char *const options[] = {
        "path",      "domain",    "max_age",     "expires", "secure",
        "http_only", "same_site", "partitioned", NULL};
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_response_class);
    struct tg_headers *headers;
    struct tg_cookie cookie;
    char room[TG_COOKIE_ROOM];
    const char *wrong;

    if (tg_exchange_stage(x) != TG_RESPONSE_OPEN)
        return luaL_error(L, "the response has begun: its headers are sent");
    lua_settop(L, OPTIONS);
    tg_bind_options(L, OPTIONS, "a cookie", options);
    if (lua_isnil(L, OPTIONS)) {
        lua_newtable(L);
        lua_replace(L, OPTIONS);
    }
    fill(L, &cookie);
    wrong = tg_cookie_check(&cookie);
    if (wrong)
        return luaL_error(L, "cookie '%s' %s", cookie.name, wrong);
    headers = tg_exchange_response_headers(x);
    remove_replaced(headers, &cookie);
    if (headers->bytes.len > TG_HEADERS_MOST)
        return luaL_error(L, "cookie '%s' makes the fields too large",
                          cookie.name);
    tg_headers_add(headers, set_cookie, sizeof(set_cookie) - 1, room,
                   tg_cookie_format(&cookie, room));
    lua_settop(L, 1);
    return 1;
}
