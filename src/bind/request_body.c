// SPDX-License-Identifier: MIT
/*
 * tidegate.request, its content: read whole, or piece by piece as it comes.
 *
 *     request:text()       the content as a string; again if asked again
 *     request:json()       the content as a value; malformed: the client
 *                          gets 400
 *     request:buffer()     the content as a buffer
 *     request:chunks()     an iterator over strings, in constant memory
 *     request:form()       the fields of a form; request_form.c
 *     request:multipart()  an iterator over parts; multipart.c
 *     request:trailers()   table of the trailer fields, after the content
 *
 * What is larger than the route's limit ends the task with 413.
 */
#include <string.h>

#include "bind/bind.h"
#include "bind/json.h"
#include "bind/request_body.h"
#include "bind/shield.h"
#include "http/exchange.h"
#include "net/buffer.h"
#include "script/task.h"

enum { CHUNK_MOST = 64 * 1024 };

struct reading {
    struct tg_wait wait;
    struct tg_exchange *x;
};

static void cancel_reading(struct tg_wait *wait)
{
    struct reading *reading = (struct reading *)wait;

    tg_exchange_more(reading->x, NULL, NULL);
}

static void end_reading(void *arg)
{
    tg_wait_wake(&((struct reading *)arg)->wait);
}

/* Parks until more content has come; `next` looks at it. */
int tg_request_wait(lua_State *L, struct tg_exchange *x, lua_KFunction next)
{
    struct reading *reading;

    tg_wait_check(L);
    if (tg_exchange_is_read(x))
        return luaL_error(L, "another task waits for this content");
    reading = lua_newuserdatauv(L, sizeof(*reading), 0);
    reading->wait.cancel = cancel_reading;
    reading->x = x;
    tg_exchange_more(x, end_reading, reading);
    return tg_wait_park(L, &reading->wait, next, 0);
}

void tg_request_check_size(lua_State *L, struct tg_exchange *x)
{
    if (tg_exchange_is_too_large(x))
        tg_bind_fail(L, 413, "the request's content is too large");
}

static struct tg_exchange *check_readable(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_request_class);

    tg_request_check_size(L, x);
    return x;
}

/* What text() read is kept: asking again, or for json(), gives it again.  What
 * buffer(), chunks() and multipart() took is gone: false marks that. */
void tg_request_take(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_setiuservalue(L, 1, TG_REQUEST_TEXT);
}

static int keep_text(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, TG_REQUEST_TEXT);
    return 1;
}

/* Pushes the text that is kept, or nothing.  Raises if it was taken. */
bool tg_request_push_kept(lua_State *L)
{
    int type = lua_getiuservalue(L, 1, TG_REQUEST_TEXT);

    if (type == LUA_TBOOLEAN)
        luaL_error(
            L, "the content was taken by buffer(), chunks() or multipart()");
    if (type == LUA_TSTRING)
        return true;
    lua_pop(L, 1);
    return false;
}

/* What is in one piece becomes a string at once. */
static void push_content(lua_State *L, struct tg_buffer *content)
{
    size_t len = tg_buffer_len(content);
    struct iovec pieces[2];
    luaL_Buffer text;

    if (tg_buffer_pieces(content, pieces, 2) == 1) {
        lua_pushlstring(L, pieces[0].iov_base, len);
        tg_buffer_drain(content, len);
        return;
    }
    tg_buffer_take(content, luaL_buffinitsize(L, &text, len), len);
    luaL_pushresultsize(&text, len);
}

/* Content that was gathered while the rest was still to come waits in a buffer
 * at index 2, so that back-pressure does not stop it. */
static struct tg_buffer *gather(lua_State *L, struct tg_exchange *x)
{
    struct tg_buffer *gathered;

    lua_settop(L, 2);
    gathered = tg_buffer_test(L, 2);
    if (!gathered) {
        gathered = tg_buffer_push(L);
        lua_replace(L, 2);
    }
    tg_buffer_move(tg_exchange_content(x), gathered, SIZE_MAX);
    return gathered;
}

static int finish_text(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x = check_readable(L);
    struct tg_buffer *content = tg_exchange_content(x);

    (void)status, (void)context;
    if (!tg_exchange_is_complete(x) || lua_gettop(L) > 1)
        content = gather(L, x);
    if (!tg_exchange_is_complete(x))
        return tg_request_wait(L, x, finish_text);
    push_content(L, content); /* usually it has all come already */
    return keep_text(L);
}

int tg_request_text(lua_State *L)
{
    lua_settop(L, 1);
    check_readable(L);
    return tg_request_push_kept(L) ? 1 : finish_text(L, LUA_OK, 0);
}

static int finish_json(lua_State *L, int status, lua_KContext context)
{
    size_t len;
    const char *text;

    (void)status, (void)context;
    text = lua_tolstring(L, -1, &len);
    if (tg_json_decode(L, text, len))
        return 1;
    lua_pushfstring(L, "the content is not JSON: %s", lua_tostring(L, -1));
    return tg_bind_fail(L, 400, lua_tostring(L, -1));
}

static int request_json(lua_State *L)
{
    lua_settop(L, 1);
    check_readable(L);
    tg_request_push_kept(L); /* raises here, at the caller's line */
    lua_settop(L, 1);
    lua_pushcfunction(L, tg_request_text);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, finish_json);
    return finish_json(L, LUA_OK, 0);
}

static int finish_buffer(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x = check_readable(L);

    (void)status, (void)context;
    gather(L, x);
    if (!tg_exchange_is_complete(x))
        return tg_request_wait(L, x, finish_buffer);
    return 1;
}

static int request_buffer(lua_State *L)
{
    lua_settop(L, 1);
    check_readable(L);
    if (tg_request_push_kept(L)) {
        size_t len;
        const char *text = lua_tolstring(L, 2, &len);

        tg_buffer_add(tg_buffer_push(L), text, len);
        return 1;
    }
    tg_request_take(L);
    return finish_buffer(L, LUA_OK, 0);
}

static int next_chunk(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x = check_readable(L);
    struct tg_buffer *content = tg_exchange_content(x);
    size_t len = tg_buffer_len(content);
    luaL_Buffer chunk;

    (void)status, (void)context;
    lua_settop(L, 1);
    if (len == 0 && tg_exchange_is_complete(x)) {
        lua_pushnil(L);
        return 1;
    }
    if (len == 0)
        return tg_request_wait(L, x, next_chunk);
    len = len < CHUNK_MOST ? len : CHUNK_MOST;
    tg_buffer_take(content, luaL_buffinitsize(L, &chunk, len), len);
    luaL_pushresultsize(&chunk, len);
    if (!tg_exchange_is_complete(x))
        tg_exchange_more(x, NULL, NULL);
    return 1;
}

static int iterate_chunks(lua_State *L)
{
    return next_chunk(L, LUA_OK, 0);
}

/* One chunk, if there is any, then none. */
static int iterate_text(lua_State *L)
{
    luaL_checkudata(L, 1, tg_request_class);
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        lua_pushnil(L);
    else if (lua_getiuservalue(L, 1, TG_REQUEST_TEXT) == LUA_TSTRING &&
             lua_rawlen(L, -1) == 0)
        lua_pushnil(L);
    return 1;
}

static int request_chunks(lua_State *L)
{
    lua_settop(L, 1);
    check_readable(L);
    if (tg_request_push_kept(L)) {
        lua_pushcfunction(L, iterate_text);
        lua_pushvalue(L, 1);
        return 2;
    }
    tg_request_take(L);
    lua_pushcfunction(L, iterate_chunks);
    lua_pushvalue(L, 1);
    return 2;
}

static int finish_trailers(lua_State *L, int status, lua_KContext context)
{
    struct tg_exchange *x = check_readable(L);
    const struct tg_text *trailers = tg_exchange_trailers(x);
    struct tg_field fields[TG_HEAD_FIELDS];
    int i, count;

    (void)status, (void)context;
    if (!tg_exchange_is_complete(x))
        return luaL_error(L, "trailers come after the content: read it first");
    lua_newtable(L);
    count = trailers->len ? tg_fields_parse(fields, TG_HEAD_FIELDS,
                                            trailers->data, trailers->len)
                          : 0;
    for (i = 0; i < count; i++) {
        struct tg_field *field = &fields[i];
        luaL_Buffer name;
        char *room = luaL_buffinitsize(L, &name, field->name.len);
        size_t at;

        for (at = 0; at < field->name.len; at++) {
            char c = trailers->data[field->name.at + at];

            room[at] = 'A' <= c && c <= 'Z' ? (char)(c | 32) : c;
        }
        luaL_pushresultsize(&name, field->name.len);
        lua_pushlstring(L, trailers->data + field->value.at, field->value.len);
        lua_rawset(L, -3);
    }
    return 1;
}

static int request_trailers(lua_State *L)
{
    lua_settop(L, 1);
    return finish_trailers(L, LUA_OK, 0);
}

const luaL_Reg tg_request_body_methods[] = {
    {"text", tg_request_text},
    {"json", request_json},
    {"buffer", request_buffer},
    {"chunks", request_chunks},
    {"trailers", request_trailers},
    {"form", tg_request_form},
    {"multipart", tg_request_multipart},
    {"shield", tg_request_shield},
    {NULL, NULL},
};
