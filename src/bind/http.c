// SPDX-License-Identifier: MIT
/*
 * tidegate.core.http -- requests to others; lua/tidegate/http.lua is for
 * people.
 *
 *     http.open(plan)               a reply that has a connection, or nil,
 *                                   message, code
 *     http.send(reply, data, last)  sends a string, or what is in a buffer, as
 *                                   it is; false: no more of it is wanted
 *     http.receive(reply)           waits for the head: true, or nil, message,
 *                                   code
 *     http.is_stale(reply)          did it fail because a connection that had
 *                                   rested was closed?
 *     http.is_buffer(value)
 *     http.trust(options)           for plan.trust: what options of TLS ask
 * for, and the server's name or nil; or nil, message, code http.now() seconds,
 * of the clock of plan.deadline http.codings()                for
 * Accept-Encoding
 */
#include "bind/bind.h"

#include "base/clock.h"
#include "bind/reply.h"
#include "bind/socket.h"
#include "http/encoder.h"
#include "http/upstream.h"
#include "net/buffer.h"

enum {
    UNSENT_HIGH = 64 * 1024, /* bytes that make the next ones wait */
    SEND_MOST = 256 * 1024
};

/* --- the plan --- */

static double number(lua_State *L, const char *name)
{
    double value;

    lua_getfield(L, 1, name);
    value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool flag(lua_State *L, const char *name)
{
    bool value;

    lua_getfield(L, 1, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The plan keeps the string. */
static const char *string(lua_State *L, const char *name)
{
    const char *value;

    lua_getfield(L, 1, name);
    value = lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The plan keeps it. */
static struct tg_tls_trust *trust_of(lua_State *L)
{
    struct tg_tls_trust *trust = NULL;

    if (lua_getfield(L, 1, "trust") == LUA_TUSERDATA)
        trust = *(struct tg_tls_trust **)lua_touserdata(L, -1);
    lua_pop(L, 1);
    return trust;
}

/* As open(2) takes it; the plan keeps that, too. */
static const char *unix_path(lua_State *L)
{
    const char *path;

    if (lua_getfield(L, 1, "unix") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    path = tg_bind_path(L, lua_gettop(L));
    lua_setfield(L, 1, "unix_path");
    lua_pop(L, 1);
    return path;
}

static void read_plan(lua_State *L, struct tg_reply *reply)
{
    reply->ask.target = (struct tg_upstream_target){
        .key = string(L, "key"),
        .host = string(L, "host"),
        .port = (uint16_t)number(L, "port"),
        .unix_path = unix_path(L),
        .trust = trust_of(L),
        .server = string(L, "server_name"),
        .most = (unsigned)number(L, "connections"),
        .timeout = number(L, "connect_timeout"),
    };
    reply->deadline = number(L, "deadline");
    reply->first = number(L, "first_byte_timeout");
    reply->idle = number(L, "idle_timeout");
    reply->keep = number(L, "keep");
    reply->most = (size_t)number(L, "max_size");
    reply->is_head = flag(L, "is_head");
    reply->decodes = flag(L, "decode");
}

static int http_trust(lua_State *L)
{
    lua_settop(L, 1);
    return tg_socket_push_trust(L, 1) ? 2 : 3;
}

/* --- the connection --- */

static void on_connected(struct tg_upstream *u, const char *message,
                         const char *code, void *arg)
{
    struct tg_reply *reply = arg;

    reply->asking = false;
    reply->upstream = u;
    if (!u)
        tg_reply_fail(reply, code, message);
    tg_reply_wake(reply);
}

/* The reply is at 1. */
static int opened(lua_State *L, int status, lua_KContext context)
{
    struct tg_reply *reply = lua_touserdata(L, 1);

    (void)status, (void)context;
    lua_settop(L, 1);
    if (reply->has_failed)
        return tg_reply_failure(L, reply);
    tg_upstream_ask(reply->upstream, reply->is_head);
    return 1;
}

static int http_open(lua_State *L)
{
    struct tg_loop *loop = tg_bind_loop(L);
    struct tg_reply *reply;
    bool fresh;

    luaL_checktype(L, 1, LUA_TTABLE);
    tg_wait_check(L);
    lua_settop(L, 1);
    reply = tg_reply_push(L);
    reply->loop = loop;
    read_plan(L, reply);
    luaL_argcheck(L,
                  reply->ask.target.key &&
                      (reply->ask.target.host || reply->ask.target.unix_path),
                  1, "a plan");
    fresh = flag(L, "fresh");
    lua_getfield(L, 1, "url");
    lua_setiuservalue(L, 2, TG_REPLY_URL);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, TG_REPLY_PLAN);
    lua_remove(L, 1);

    reply->ask.fn = on_connected;
    reply->ask.arg = reply;
    reply->upstream = tg_upstreams_take(loop, &reply->ask, fresh);
    if (reply->upstream)
        return opened(L, LUA_OK, 0);
    reply->asking = true;
    return tg_reply_wait(L, reply, reply->ask.target.timeout, opened);
}

/* --- the request --- */

static bool wants_more(struct tg_reply *reply)
{
    return !reply->has_failed && reply->upstream &&
           tg_upstream_state(reply->upstream) == TG_UPSTREAM_ASKED;
}

/* The next piece of the string at 2. */
static void send_piece(lua_State *L, struct tg_reply *reply)
{
    size_t len, more;
    const char *data = lua_tolstring(L, 2, &len);

    more = len - reply->sent;
    if (more > SEND_MOST)
        more = SEND_MOST;
    tg_upstream_send(reply->upstream, data + reply->sent, more);
    reply->sent += more;
}

/* reply, data, last */
static int sent(lua_State *L, int status, lua_KContext context)
{
    struct tg_reply *reply = lua_touserdata(L, 1);
    size_t len = lua_type(L, 2) == LUA_TSTRING ? lua_rawlen(L, 2) : 0;
    bool last = lua_toboolean(L, 3);

    (void)status, (void)context;
    lua_settop(L, 3);
    while (wants_more(reply)) {
        bool waits = tg_upstream_unsent(reply->upstream) > UNSENT_HIGH;

        if (waits && (reply->sent < len || !last))
            return tg_reply_wait(L, reply, reply->idle, sent);
        if (reply->sent == len) {
            if (last)
                tg_upstream_sent(reply->upstream);
            break;
        }
        send_piece(L, reply);
    }
    lua_pushboolean(L, wants_more(reply));
    return 1;
}

static int http_send(lua_State *L)
{
    struct tg_reply *reply = tg_reply_check(L, 1);
    struct tg_buffer *buffer = tg_buffer_test(L, 2);

    if (!buffer)
        luaL_checktype(L, 2, LUA_TSTRING);
    else if (reply->upstream)
        tg_upstream_send_buffer(reply->upstream, buffer);
    reply->sent = 0;
    return sent(L, LUA_OK, 0);
}

/* --- the response --- */

static int received(lua_State *L, int status, lua_KContext context)
{
    struct tg_reply *reply = lua_touserdata(L, 1);
    const char *message, *code;
    double now;

    (void)status, (void)context;
    lua_settop(L, 1);
    if (reply->has_failed || !reply->upstream)
        return tg_reply_failure(L, reply);
    switch (tg_upstream_state(reply->upstream)) {
    case TG_UPSTREAM_FAILED:
        reply->is_stale = tg_upstream_is_stale(reply->upstream);
        code = tg_upstream_failure(reply->upstream, &message);
        tg_reply_fail(reply, code, message);
        return tg_reply_failure(L, reply);
    case TG_UPSTREAM_CONTENT:
    case TG_UPSTREAM_DONE:
        tg_reply_take_head(L, reply);
        lua_pushboolean(L, 1);
        return 1;
    default:
        break;
    }
    if (tg_upstream_unsent(reply->upstream))
        return tg_reply_wait(L, reply, reply->idle, received);
    now = tg_clock_now();
    if (reply->first_until <= 0)
        reply->first_until = now + reply->first;
    return tg_reply_wait(L, reply, reply->first_until - now, received);
}

static int http_receive(lua_State *L)
{
    tg_reply_check(L, 1);
    return received(L, LUA_OK, 0);
}

static int http_is_stale(lua_State *L)
{
    lua_pushboolean(L, tg_reply_check(L, 1)->is_stale);
    return 1;
}

static int http_is_buffer(lua_State *L)
{
    lua_pushboolean(L, tg_buffer_test(L, 1) != NULL);
    return 1;
}

static int http_now(lua_State *L)
{
    lua_pushnumber(L, tg_clock_now());
    return 1;
}

static int http_codings(lua_State *L)
{
    lua_pushliteral(L, "gzip");
    if (tg_encoder_knows(TG_CODING_BROTLI))
        lua_pushliteral(L, ", br");
    if (tg_encoder_knows(TG_CODING_ZSTD))
        lua_pushliteral(L, ", zstd");
    lua_concat(L, lua_gettop(L));
    return 1;
}

static const luaL_Reg functions[] = {
    {"open", http_open},
    {"send", http_send},
    {"receive", http_receive},
    {"is_stale", http_is_stale},
    {"is_buffer", http_is_buffer},
    {"now", http_now},
    {"trust", http_trust},
    {"codings", http_codings},
    {NULL, NULL},
};

int luaopen_tidegate_core_http(lua_State *L);

int luaopen_tidegate_core_http(lua_State *L)
{
    tg_reply_open_class(L);
    luaL_newlib(L, functions);
    return 1;
}
