// SPDX-License-Identifier: MIT
/*
 * The response of an origin to a request of ours.
 *
 *     response.status  .version  .headers  .url
 *     response.trailers    nil before the content's end
 *     response:close()     no more of it is wanted
 *     response:text()  :json()  :buffer()  :chunk()  :chunks()
 *                          reply_content.c
 */
#include "bind/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/decoder.h"
#include "http/framing.h"
#include "http/upstream.h"
#include "net/buffer.h"
#include "net/timer.h"
#include "script/state.h"

struct tg_waiting {
    struct tg_wait wait; /* first: a wait is a waiting */
    struct tg_reply *reply;
    struct tg_timer *timer;
};

/* --- its life --- */

/* A wait that goes on belongs to a task that was detached: the reply is that
 * task's from here on. */
static void on_task_end(struct tg_defer *defer)
{
    struct tg_reply *reply = tg_list_item(defer, struct tg_reply, ended);

    if (reply->waiting)
        tg_task_defer(tg_task_root(reply->waiting->wait.task), &reply->ended);
    else
        tg_reply_drop(reply);
}

struct tg_reply *tg_reply_push(lua_State *L)
{
    struct tg_reply *reply = lua_newuserdatauv(L, sizeof(*reply), 4);

    *reply = (struct tg_reply){.content_length = -1};
    tg_list_init(&reply->ended.link);
    luaL_setmetatable(L, TG_REPLY);
    reply->coded = tg_buffer_new();
    reply->ended.run = on_task_end;
    tg_task_defer(tg_task_root(tg_state_of(L)->running), &reply->ended);
    return reply;
}

struct tg_reply *tg_reply_check(lua_State *L, int index)
{
    struct tg_reply *reply = luaL_checkudata(L, index, TG_REPLY);

    luaL_argcheck(L, reply->coded, index, "response is closed"); /* by __gc */
    return reply;
}

void tg_reply_drop(struct tg_reply *reply)
{
    struct tg_upstream *u = reply->upstream;

    tg_list_remove(&reply->ended.link);
    if (reply->asking)
        tg_upstreams_cancel(&reply->ask);
    reply->asking = false;
    reply->upstream = NULL;
    if (u) {
        tg_upstream_watch(u, NULL, NULL);
        tg_upstreams_put(u, reply->keep);
    }
}

void tg_reply_fail(struct tg_reply *reply, const char *code,
                   const char *message)
{
    if (reply->has_failed)
        return;
    reply->has_failed = true;
    snprintf(reply->code, sizeof(reply->code), "%s", code);
    snprintf(reply->message, sizeof(reply->message), "%s", message);
    tg_reply_drop(reply);
    tg_buffer_drain(reply->coded, tg_buffer_len(reply->coded));
}

int tg_reply_failure(lua_State *L, struct tg_reply *reply)
{
    lua_pushnil(L);
    lua_pushstring(L, reply->has_failed ? reply->message
                                        : "the response is closed");
    lua_pushstring(L, reply->has_failed ? reply->code : "closed");
    return 3;
}

static int reply_close(lua_State *L)
{
    struct tg_reply *reply = tg_reply_check(L, 1);

    tg_reply_drop(reply);
    tg_reply_wake(reply);
    return 0;
}

static int reply_gc(lua_State *L)
{
    struct tg_reply *reply = luaL_checkudata(L, 1, TG_REPLY);

    if (!reply->coded)
        return 0;
    tg_reply_drop(reply);
    tg_buffer_free(reply->coded);
    reply->coded = NULL;
    if (reply->decoder)
        tg_decoder_free(reply->decoder);
    tg_text_release(&reply->trailers);
    return 0;
}

/* --- waiting --- */

static void leave(struct tg_waiting *waiting)
{
    waiting->reply->waiting = NULL;
    if (waiting->timer)
        tg_timer_stop(waiting->timer);
    waiting->timer = NULL;
}

static void on_cancel(struct tg_wait *wait)
{
    struct tg_waiting *waiting = (struct tg_waiting *)wait;

    leave(waiting);
    tg_reply_fail(waiting->reply, "closed", "the task was cancelled");
}

void tg_reply_wake(void *arg)
{
    struct tg_reply *reply = arg;
    struct tg_waiting *waiting = reply->waiting;

    if (!waiting)
        return;
    leave(waiting);
    tg_wait_wake(&waiting->wait);
}

static void on_time(void *arg)
{
    struct tg_waiting *waiting = arg;
    struct tg_reply *reply = waiting->reply;

    waiting->timer = NULL;
    tg_reply_fail(reply, "timeout", "timed out");
    tg_reply_wake(reply);
}

int tg_reply_wait(lua_State *L, struct tg_reply *reply, double seconds,
                  lua_KFunction next)
{
    double left =
        reply->deadline > 0 ? reply->deadline - tg_clock_now() : seconds;
    struct tg_waiting *waiting;

    tg_wait_check(L);
    if (reply->waiting)
        return luaL_error(L, "another task waits for this response");
    if (left < seconds)
        seconds = left;
    if (seconds <= 0) {
        tg_reply_fail(reply, "timeout", "timed out");
        return next(L, LUA_OK, 0);
    }
    waiting = lua_newuserdatauv(L, sizeof(*waiting), 0);
    waiting->wait.cancel = on_cancel;
    waiting->reply = reply;
    reply->waiting = waiting;
    waiting->timer = tg_timer_start(reply->loop, seconds, on_time, waiting);
    if (reply->upstream)
        tg_upstream_watch(reply->upstream, tg_reply_wake, reply);
    return tg_wait_park(L, &waiting->wait, next, 0);
}

/* --- its fields --- */

static int push_trailers(lua_State *L, struct tg_reply *reply)
{
    struct tg_field fields[TG_HEAD_FIELDS];
    const char *bytes = reply->trailers.data;
    struct tg_headers *headers;
    int i, count;

    if (!reply->is_whole || tg_buffer_len(reply->coded))
        return 0;
    headers = tg_headers_push_own(L);
    count = reply->trailers.len ? tg_fields_parse(fields, TG_HEAD_FIELDS, bytes,
                                                  reply->trailers.len)
                                : 0;
    for (i = 0; i < count; i++)
        tg_headers_add(headers, bytes + fields[i].name.at, fields[i].name.len,
                       bytes + fields[i].value.at, fields[i].value.len);
    return 1;
}

static int reply_index(lua_State *L)
{
    struct tg_reply *reply = tg_reply_check(L, 1);
    const char *name = luaL_checkstring(L, 2);

    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    if (strcmp(name, "status") == 0 && reply->status)
        lua_pushinteger(L, reply->status);
    else if (strcmp(name, "headers") == 0)
        lua_getiuservalue(L, 1, TG_REPLY_HEADERS);
    else if (strcmp(name, "url") == 0)
        lua_getiuservalue(L, 1, TG_REPLY_URL);
    else if (strcmp(name, "version") == 0)
        lua_pushstring(L, reply->minor ? "1.1" : "1.0");
    else if (strcmp(name, "trailers") == 0)
        return push_trailers(L, reply);
    else
        return 0;
    return 1;
}

static const luaL_Reg methods[] = {
    {"close", reply_close},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", reply_gc},
    {"__close", reply_close},
    {NULL, NULL},
};

int tg_reply_open_class(lua_State *L)
{
    tg_bind_class(L, TG_REPLY, methods, metamethods);
    luaL_getmetatable(L, TG_REPLY);
    lua_getfield(L, -1, "__index");
    luaL_setfuncs(L, tg_reply_content_methods, 0);
    lua_pushcclosure(L, reply_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return 0;
}
