// SPDX-License-Identifier: MIT
/*
 * tidegate.request, the fields of a form.
 *
 *     request:form()       pairs, as request.query; another type of content:
 *                          the client gets 415
 */
#include <string.h>
#include <strings.h>

#include "bind/bind.h"
#include "bind/pairs.h"
#include "bind/request_body.h"
#include "http/exchange.h"
#include "http/target.h"

static void push_decoded(lua_State *L, const char *text, size_t len)
{
    luaL_Buffer decoded;
    char *room = luaL_buffinitsize(L, &decoded, len);

    luaL_pushresultsize(&decoded, tg_query_decode(text, len, room));
}

static void check_type(lua_State *L, struct tg_exchange *x)
{
    static const char type[] = "application/x-www-form-urlencoded";
    struct tg_headers *headers = tg_exchange_request_headers(x);
    int at = tg_headers_find(headers, "content-type", 12, 0);
    size_t len = 0, n = sizeof(type) - 1;
    const char *value =
        at < 0 ? "" : tg_headers_value(headers, (unsigned)at, &len);

    if (len < n || strncasecmp(value, type, n) != 0 ||
        (len > n && !strchr("; \t", value[n])))
        tg_bind_fail(L, 415, "a form is application/x-www-form-urlencoded");
}

/* The request at 1, its text on top. */
static int finish_form(lua_State *L, int status, lua_KContext context)
{
    size_t len;
    const char *at = lua_tolstring(L, -1, &len), *end = at + len;
    struct tg_query_pair pair;
    int form, count = 0;

    (void)status, (void)context;
    tg_pairs_push(L, len > 0);
    form = lua_gettop(L);
    while (tg_query_next(&at, end, &pair)) {
        if (++count > TG_PAIRS_MOST)
            tg_bind_fail(L, 400, "too many fields in the form");
        push_decoded(L, pair.name, pair.name_len);
        push_decoded(L, pair.value, pair.value_len);
        tg_pairs_add(L, form, count);
    }
    return 1;
}

int tg_request_form(lua_State *L)
{
    lua_settop(L, 1);
    check_type(L, tg_bind_exchange(L, 1, tg_request_class));
    tg_request_push_kept(L); /* raises here, at the caller's line */
    lua_settop(L, 1);
    lua_pushcfunction(L, tg_request_text);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, finish_form);
    return finish_form(L, LUA_OK, 0);
}
