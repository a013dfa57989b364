// SPDX-License-Identifier: MIT
#include "bind/answer.h"

#include <stdarg.h>

#include "bind/bind.h"
#include "bind/json.h"
#include "http/exchange.h"
#include "net/buffer.h"

/* Raises, naming the file of the route whose request is at 1. */
static void misused(lua_State *L, const char *format, ...)
{
    va_list args;

    if (luaL_testudata(L, 1, tg_request_class) &&
        lua_getiuservalue(L, 1, TG_REQUEST_ROUTE) == LUA_TTABLE) {
        lua_getfield(L, -1, "route");
        lua_getfield(L, -1, "file");
        lua_pushliteral(L, ": ");
    } else {
        lua_pushliteral(L, "");
        lua_pushliteral(L, "");
    }
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 3);
    lua_error(L);
}

static void respond_body(lua_State *L, struct tg_exchange *x, int status,
                         int body)
{
    struct tg_buffer *buffer;
    const char *text;
    size_t len;

    switch (lua_type(L, body)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, body, &len);
        tg_exchange_respond(x, status, "text/plain; charset=utf-8", text, len);
        return;
    case LUA_TTABLE:
        text = tg_json_encode(L, body, &len);
        tg_exchange_respond(x, status, "application/json", text, len);
        return;
    case LUA_TNONE:
    case LUA_TNIL:
        tg_exchange_respond(x, status, NULL, "", 0);
        return;
    default:
        buffer = tg_buffer_test(L, body);
        if (!buffer)
            misused(L,
                    "a handler returned a %s: a body is a string, a "
                    "table or a buffer",
                    luaL_typename(L, body));
        len = tg_buffer_len(buffer);
        tg_exchange_respond(x, status, "application/octet-stream",
                            tg_buffer_bytes(buffer), len);
        tg_buffer_drain(buffer, len);
    }
}

static void add_headers(lua_State *L, struct tg_exchange *x, int headers)
{
    if (lua_isnoneornil(L, headers))
        return;
    if (!lua_istable(L, headers))
        misused(L, "a handler returned a %s as headers, not a table",
                luaL_typename(L, headers));
    lua_pushnil(L);
    while (lua_next(L, headers)) {
        tg_headers_set(L, x, -2, -1);
        lua_pop(L, 1);
    }
}

static int check_status(lua_State *L, int index)
{
    int is_integer;
    lua_Integer status = lua_tointegerx(L, index, &is_integer);

    if (!is_integer || status < 200 || status > 599)
        misused(L,
                "a handler returned %s as a status: it is an integer "
                "from 200 to 599",
                luaL_tolstring(L, index, NULL));
    return (int)status;
}

void tg_answer_with(lua_State *L, struct tg_exchange *x, int first)
{
    int set = tg_exchange_status(x);

    if (lua_type(L, first) == LUA_TNUMBER) {
        int status = check_status(L, first);

        add_headers(L, x, first + 2);
        respond_body(L, x, status, first + 1);
    } else if (lua_isnil(L, first) && lua_isstring(L, first + 1)) {
        misused(L, "a handler returned nil and a message: %s",
                lua_tostring(L, first + 1));
    } else if (!lua_isnoneornil(L, first + 1)) {
        misused(L,
                "a handler returned a %s first: it returns a body, or "
                "status, body, headers in this order",
                luaL_typename(L, first));
    } else if (lua_isnoneornil(L, first)) {
        tg_exchange_finish(x);
    } else {
        respond_body(L, x, set ? set : 200, first);
    }
}

/* `return response:file(path)` says that the response is what it is. */
static bool is_response(lua_State *L, int index)
{
    struct tg_handle *handle = lua_touserdata(L, index);

    return lua_type(L, index) == LUA_TUSERDATA &&
           lua_rawlen(L, index) >= sizeof(*handle) &&
           handle->class == tg_response_class;
}

int tg_answer_returned(lua_State *L, int status, lua_KContext context)
{
    struct tg_handle *handle = lua_touserdata(L, 1);
    struct tg_exchange *x = handle->x;
    enum tg_response_stage stage;

    (void)status, (void)context;
    lua_settop(L, 4); /* Lua makes room for what was returned, not beyond */
    if (!tg_exchange_is(x, handle->serial))
        stage = TG_RESPONSE_FINISHED;
    else
        stage = tg_exchange_stage(x);
    if (stage == TG_RESPONSE_OPEN)
        tg_answer_with(L, x, 2);
    else if (!lua_isnoneornil(L, 2) && !is_response(L, 2))
        misused(L,
                "a handler returned a %s after it had written the "
                "response itself",
                luaL_typename(L, 2));
    else if (stage == TG_RESPONSE_BEGUN)
        tg_exchange_finish(x);
    return 0;
}
