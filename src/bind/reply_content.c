// SPDX-License-Identifier: MIT
/*
 * The content of a response: whole, or piece by piece.
 *
 *     response:text()      the content as a string; again if asked again
 *     response:json()      the content as a value
 *     response:buffer()    the content as a buffer
 *     response:chunk()     the next piece of it, nil at its end
 *     response:chunks()    an iterator over pieces, in constant memory
 *
 * What fails gives nil, message, code; only the iterator raises.
 */
#include "bind/reply.h"

#include <errno.h>

#include "bind/json.h"
#include "http/decoder.h"
#include "http/upstream.h"
#include "net/buffer.h"

enum { CHUNK_MOST = 64 * 1024 };

/* --- what comes --- */

/* Takes what has come; the connection is given back once all has. */
static void absorb(struct tg_reply *reply)
{
    struct tg_upstream *u = reply->upstream;
    const char *message, *code;

    if (!u)
        return;
    if (tg_upstream_state(u) == TG_UPSTREAM_FAILED) {
        code = tg_upstream_failure(u, &message);
        tg_reply_fail(reply, code, message);
        return;
    }
    tg_upstream_take_content(u, reply->coded);
    if (tg_upstream_state(u) == TG_UPSTREAM_DONE) {
        tg_upstream_take_trailers(u, &reply->trailers);
        reply->is_whole = true;
        tg_reply_drop(reply);
    }
}

static void choose_decoder(struct tg_reply *reply, struct tg_headers *headers)
{
    int at = tg_headers_find(headers, "content-encoding", 16, 0);
    const char *name;
    size_t len;

    if (at < 0 || !reply->decodes || reply->is_head || reply->status == 204 ||
        reply->status == 206 || reply->status == 304)
        return;
    if (tg_headers_find(headers, "content-encoding", 16, (unsigned)at + 1) >= 0)
        return;
    name = tg_headers_value(headers, (unsigned)at, &len);
    reply->decoder = tg_decoder_new(name, len);
    if (!reply->decoder)
        return;
    reply->content_length = -1;
    tg_headers_remove(headers, "content-encoding", 16);
    tg_headers_remove(headers, "content-length", 14);
}

void tg_reply_take_head(lua_State *L, struct tg_reply *reply)
{
    struct tg_headers *headers = tg_headers_push_own(L);
    struct tg_upstream_head head;

    tg_upstream_take_head(reply->upstream, &head);
    *headers = head.headers;
    reply->status = head.status;
    reply->minor = head.minor;
    reply->content_length = reply->is_head ? -1 : head.content_length;
    choose_decoder(reply, headers);
    lua_setiuservalue(L, 1, TG_REPLY_HEADERS);
    absorb(reply);
}

enum pulled { PULLED_SOME, PULLED_END, PULLED_NONE_YET, PULLED_FAILURE };

static enum pulled pull_coded(struct tg_reply *reply, struct tg_buffer *to)
{
    ssize_t n = tg_decoder_run(reply->decoder, reply->coded, to, CHUNK_MOST);

    if (n > 0)
        return PULLED_SOME;
    if (n < 0 || tg_buffer_len(reply->coded)) {
        tg_reply_fail(reply, "malformed",
                      "the content is not what content-encoding says");
        return PULLED_FAILURE;
    }
    if (!reply->is_whole)
        return PULLED_NONE_YET;
    if (tg_decoder_is_whole(reply->decoder))
        return PULLED_END;
    tg_reply_fail(reply, "malformed", "the encoded content is not whole");
    return PULLED_FAILURE;
}

/* Moves up to about CHUNK_MOST bytes of content. */
static enum pulled pull(struct tg_reply *reply, struct tg_buffer *to)
{
    if (tg_buffer_len(reply->coded) == 0)
        absorb(reply);
    if (reply->has_failed)
        return PULLED_FAILURE;
    if (!reply->is_whole && !reply->upstream)
        return PULLED_FAILURE; /* it was closed */
    if (reply->decoder)
        return pull_coded(reply, to);
    if (tg_buffer_move(reply->coded, to, CHUNK_MOST))
        return PULLED_SOME;
    return reply->is_whole ? PULLED_END : PULLED_NONE_YET;
}

static void push_bytes(lua_State *L, struct tg_buffer *buffer)
{
    size_t len = tg_buffer_len(buffer);

    lua_pushlstring(L, tg_buffer_bytes(buffer), len);
    tg_buffer_drain(buffer, len);
}

/* --- at once --- */

/* Reads all into the buffer at 2; `context` says what is wanted of it. */
enum { WANT_TEXT, WANT_BUFFER };

static int gather(lua_State *L, lua_KContext context);

static int go_on_text(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return gather(L, WANT_TEXT);
}

static int go_on_buffer(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return gather(L, WANT_BUFFER);
}

static int gather(lua_State *L, lua_KContext context)
{
    struct tg_reply *reply = lua_touserdata(L, 1);
    struct tg_buffer *all = tg_buffer_test(L, 2);
    enum pulled pulled;

    lua_settop(L, 2);
    do {
        pulled = pull(reply, all);
        if (tg_buffer_len(all) > reply->most ||
            (reply->content_length > 0 &&
             (size_t)reply->content_length > reply->most)) {
            tg_reply_fail(reply, "too large", "the content is too large");
            pulled = PULLED_FAILURE;
        }
    } while (pulled == PULLED_SOME);
    if (pulled == PULLED_NONE_YET)
        return tg_reply_wait(L, reply, reply->idle,
                             context == WANT_TEXT ? go_on_text : go_on_buffer);
    if (pulled == PULLED_FAILURE)
        return tg_reply_failure(L, reply);
    if (context == WANT_BUFFER)
        return 1;
    push_bytes(L, all);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, TG_REPLY_TEXT);
    return 1;
}

/* Content is taken once; text() keeps it.  Pushes it, if it was kept. */
static bool take(lua_State *L)
{
    int type;

    lua_settop(L, 1);
    type = lua_getiuservalue(L, 1, TG_REPLY_TEXT);
    if (type == LUA_TBOOLEAN)
        luaL_error(L, "the content was taken by buffer() or chunks()");
    if (type == LUA_TSTRING)
        return true;
    lua_pop(L, 1);
    return false;
}

static void mark_taken(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_setiuservalue(L, 1, TG_REPLY_TEXT);
}

static int reply_text(lua_State *L)
{
    tg_reply_check(L, 1);
    if (take(L))
        return 1;
    tg_buffer_push(L);
    return gather(L, WANT_TEXT);
}

static int reply_buffer(lua_State *L)
{
    size_t len;
    const char *text;

    tg_reply_check(L, 1);
    if (take(L)) {
        text = lua_tolstring(L, 2, &len);
        tg_buffer_add(tg_buffer_push(L), text, len);
        return 1;
    }
    mark_taken(L);
    tg_buffer_push(L);
    return gather(L, WANT_BUFFER);
}

/* The results of text() stand behind the reply. */
static int finish_json(lua_State *L, int status, lua_KContext context)
{
    size_t len;
    const char *text;

    (void)status, (void)context;
    if (lua_isnil(L, 2))
        return 3;
    text = lua_tolstring(L, 2, &len);
    if (tg_json_decode(L, text, len))
        return 1;
    lua_pushnil(L);
    lua_pushfstring(L, "the content is not JSON: %s", lua_tostring(L, -2));
    lua_pushliteral(L, "malformed");
    return 3;
}

static int reply_json(lua_State *L)
{
    tg_reply_check(L, 1);
    take(L); /* raises here, at the caller's line */
    lua_settop(L, 1);
    lua_pushcfunction(L, reply_text);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, LUA_MULTRET, 0, finish_json);
    return finish_json(L, LUA_OK, 0);
}

/* --- piece by piece --- */

static int next_chunk(lua_State *L, int status, lua_KContext context)
{
    struct tg_reply *reply = tg_reply_check(L, 1);
    struct tg_buffer *piece = tg_buffer_test(L, 2);

    (void)status, (void)context;
    lua_settop(L, 2);
    switch (pull(reply, piece)) {
    case PULLED_SOME:
        push_bytes(L, piece);
        return 1;
    case PULLED_END:
        lua_pushnil(L);
        return 1;
    case PULLED_NONE_YET:
        return tg_reply_wait(L, reply, reply->idle, next_chunk);
    case PULLED_FAILURE:
        break;
    }
    return tg_reply_failure(L, reply);
}

static int reply_chunk(lua_State *L)
{
    tg_reply_check(L, 1);
    lua_settop(L, 1);
    if (lua_getiuservalue(L, 1, TG_REPLY_TEXT) == LUA_TSTRING) {
        mark_taken(L);
        return lua_rawlen(L, 2) ? 1 : 0;
    }
    mark_taken(L);
    lua_settop(L, 1);
    tg_buffer_push(L);
    return next_chunk(L, LUA_OK, 0);
}

static int check_chunk(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    if (lua_gettop(L) == 4) /* the reply, nil, message, code */
        return luaL_error(L, "the response broke off: %s", lua_tostring(L, 3));
    return lua_gettop(L) - 1;
}

static int iterate(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushcfunction(L, reply_chunk);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, LUA_MULTRET, 0, check_chunk);
    return check_chunk(L, LUA_OK, 0);
}

static int reply_chunks(lua_State *L)
{
    tg_reply_check(L, 1);
    if (!take(L))
        mark_taken(L);
    lua_pushcfunction(L, iterate);
    lua_pushvalue(L, 1);
    return 2;
}

const luaL_Reg tg_reply_content_methods[] = {
    {"text", reply_text},   {"json", reply_json},     {"buffer", reply_buffer},
    {"chunk", reply_chunk}, {"chunks", reply_chunks}, {NULL, NULL},
};
