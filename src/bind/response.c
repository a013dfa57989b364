// SPDX-License-Identifier: MIT
/*
 * tidegate.response -- what the client gets.
 *
 *     response.status               may be set until the first write
 *     response.headers
 *     response.compress             may it be sent compressed?
 *     response:write(data)          a piece of a stream; parks while the
 *                                   client is slow
 *     response:flush()              parks until all of it is on its way
 *     response:json(value)          answers with JSON
 *     response:file(path [, options])             response_file.c
 *     response:redirect(url [, status])
 *     response:cookie(name, value [, options])    response_cookie.c
 *     response:finish()             ends the response; the handler may go on
 *
 * A handler that returns a value needs none of these.
 */
#include <string.h>

#include "bind/bind.h"
#include "bind/json.h"
#include "bind/response_cookie.h"
#include "bind/response_file.h"
#include "http/exchange.h"
#include "net/buffer.h"
#include "net/timer.h"
#include "script/task.h"

enum {
    WAITING_HIGH = 256 * 1024, /* a writer parks beyond, */
    WAITING_LOW = 64 * 1024,   /* until so much is left */
    STATUS,
    HEADERS,
    COMPRESS
};

const char tg_response_class[] = "tidegate.response";

void tg_response_push(lua_State *L, struct tg_exchange *x)
{
    tg_bind_push(L, tg_response_class, x, sizeof(struct tg_handle), 1);
}

static struct tg_exchange *check_response(lua_State *L)
{
    return tg_bind_exchange(L, 1, tg_response_class);
}

static struct tg_exchange *check_open(lua_State *L)
{
    struct tg_exchange *x = check_response(L);

    if (tg_exchange_stage(x) != TG_RESPONSE_OPEN)
        luaL_error(L, "the response has begun");
    return x;
}

struct draining {
    struct tg_wait wait;
    struct tg_exchange *x;
};

static void cancel_draining(struct tg_wait *wait)
{
    tg_exchange_on_drain(((struct draining *)wait)->x, 0, NULL, NULL);
}

static void end_draining(void *arg)
{
    tg_wait_wake(&((struct draining *)arg)->wait);
}

static int drained(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(L, 1); /* the response, so that calls may be chained */
    return 1;
}

static int wait_for_drain(lua_State *L, struct tg_exchange *x, size_t most)
{
    struct draining *draining;

    tg_wait_check(L);
    if (tg_exchange_is_written(x))
        return luaL_error(L, "another task waits to write this response");
    draining = lua_newuserdatauv(L, sizeof(*draining), 0);
    draining->wait.cancel = cancel_draining;
    draining->x = x;
    tg_exchange_on_drain(x, most, end_draining, draining);
    return tg_wait_park(L, &draining->wait, drained, 0);
}

/* A wait for the loop's next turn, so that a client as quick as the handler
 * does not keep the thread from all others. */
struct turn {
    struct tg_wait wait;
    struct tg_timer *timer;
};

static void cancel_turn(struct tg_wait *wait)
{
    tg_timer_stop(((struct turn *)wait)->timer);
}

static void end_turn(void *arg)
{
    tg_wait_wake(&((struct turn *)arg)->wait);
}

static int wait_for_turn(lua_State *L)
{
    struct turn *turn;

    tg_wait_check(L);
    turn = lua_newuserdatauv(L, sizeof(*turn), 0);
    turn->wait.cancel = cancel_turn;
    turn->timer = tg_timer_start(tg_bind_loop(L), 0, end_turn, turn);
    return tg_wait_park(L, &turn->wait, drained, 0);
}

static int response_write(lua_State *L)
{
    struct tg_exchange *x = check_response(L);
    struct tg_buffer *buffer = tg_buffer_test(L, 2);
    int64_t waiting;
    const char *data;
    size_t len;

    if (buffer) {
        len = tg_buffer_len(buffer);
        data = tg_buffer_bytes(buffer);
    } else {
        data = luaL_checklstring(L, 2, &len);
    }
    waiting = tg_exchange_write(x, data, len);
    if (waiting < 0)
        return luaL_error(L, "more than the content-length that was set");
    if (buffer)
        tg_buffer_drain(buffer, len);
    if (waiting > WAITING_HIGH)
        return wait_for_drain(L, x, WAITING_LOW);
    if (tg_exchange_is_burst(x, len))
        return wait_for_turn(L);
    return drained(L, LUA_OK, 0);
}

static int response_flush(lua_State *L)
{
    struct tg_exchange *x = check_response(L);

    tg_exchange_flush(x);
    if (tg_exchange_waiting(x) > 0)
        return wait_for_drain(L, x, 0);
    return drained(L, LUA_OK, 0);
}

static int status_or(struct tg_exchange *x, int status)
{
    return tg_exchange_status(x) ? tg_exchange_status(x) : status;
}

static int response_json(lua_State *L)
{
    struct tg_exchange *x = check_open(L);
    size_t len;
    const char *text;

    luaL_checkany(L, 2);
    text = tg_json_encode(L, 2, &len);
    tg_exchange_goes_on(x);
    tg_exchange_respond(x, status_or(x, 200), "application/json", text, len);
    return 0;
}

static int response_redirect(lua_State *L)
{
    struct tg_exchange *x = check_open(L);
    lua_Integer status = luaL_optinteger(L, 3, 302);

    luaL_checkstring(L, 2);
    luaL_argcheck(L, 300 <= status && status <= 399, 3, "no 3xx status");
    lua_settop(L, 2);
    lua_pushliteral(L, "location");
    tg_headers_set(L, x, 3, 2);
    tg_exchange_goes_on(x);
    tg_exchange_respond(x, (int)status, NULL, "", 0);
    return 0;
}

static int response_finish(lua_State *L)
{
    struct tg_exchange *x = check_response(L);

    tg_exchange_goes_on(x);
    tg_exchange_finish(x);
    return 0;
}

static int push_headers(lua_State *L, struct tg_exchange *x)
{
    if (lua_getiuservalue(L, 1, 1) == LUA_TUSERDATA)
        return 1;
    tg_headers_push(L, x, true);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

static int response_index(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_response_class);

    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION)
        return 1;
    if (lua_isnil(L, 3))
        return luaL_error(L, "a response has no field '%s'",
                          luaL_tolstring(L, 2, NULL));
    if (lua_tointeger(L, 3) == HEADERS)
        return push_headers(L, x);
    if (lua_tointeger(L, 3) == COMPRESS) {
        lua_pushboolean(L, tg_exchange_compress(x));
        return 1;
    }
    if (tg_exchange_status(x))
        lua_pushinteger(L, tg_exchange_status(x));
    else
        lua_pushnil(L);
    return 1;
}

static int response_newindex(lua_State *L)
{
    struct tg_exchange *x = check_open(L);
    const char *name = luaL_checkstring(L, 2);
    lua_Integer status;

    if (strcmp(name, "compress") == 0) {
        if (!lua_isboolean(L, 3))
            return luaL_error(L, "'compress' is true or false, not a %s",
                              luaL_typename(L, 3));
        tg_exchange_set_compress(x, lua_toboolean(L, 3));
        return 0;
    }
    if (strcmp(name, "status") != 0)
        return luaL_error(L, "cannot set '%s' of a response", name);
    status = lua_isinteger(L, 3) ? lua_tointeger(L, 3) : 0;
    if (status < 200 || status > 599)
        return luaL_error(L, "a status is an integer from 200 to 599, not %s%s",
                          lua_type(L, 3) == LUA_TSTRING ? "the string " : "",
                          luaL_tolstring(L, 3, NULL));
    tg_exchange_set_status(x, (int)status);
    return 0;
}

static const luaL_Reg methods[] = {
    {"write", response_write},       {"flush", response_flush},
    {"json", response_json},         {"file", tg_response_file},
    {"redirect", response_redirect}, {"finish", response_finish},
    {"cookie", tg_response_cookie},  {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__newindex", response_newindex},
    {NULL, NULL},
};

int luaopen_tidegate_core_response(lua_State *L);

int luaopen_tidegate_core_response(lua_State *L)
{
    tg_bind_class(L, tg_response_class, methods, metamethods);
    luaL_getmetatable(L, tg_response_class);
    lua_getfield(L, -1, "__index");
    lua_pushinteger(L, STATUS);
    lua_setfield(L, -2, "status");
    lua_pushinteger(L, HEADERS);
    lua_setfield(L, -2, "headers");
    lua_pushinteger(L, COMPRESS);
    lua_setfield(L, -2, "compress");
    lua_pushcclosure(L, response_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return 0;
}
