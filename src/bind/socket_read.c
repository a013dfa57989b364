// SPDX-License-Identifier: MIT
/*
 *     s:read(n | "line" | "all" | "some" [, options])
 *     s:read_until(text [, options])
 *
 * A string, or with the option `into` the number of bytes that were moved to
 * that buffer; or nil, message, code and, when nothing more will come, what
 * there was.  After a timeout nothing is lost: it is there for the next one.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/socket.h"
#include "net/buffer.h"
#include "net/socket.h"

enum { SELF = 1, WHAT, OPTIONS, INTO, READING };
enum {
    LINE_LIMIT = 64 * 1024,
    ALL_LIMIT = 16 * 1024 * 1024,
    PIECE = 64 * 1024
};

enum kind { BYTES, LINE, ALL, SOME, UNTIL };

struct reading {
    struct tg_socket_use use; /* first */
    enum kind kind;
    size_t limit;   /* the most bytes; of BYTES, how many */
    size_t scanned; /* where no end can begin any more */
    const char *end;
    size_t end_len;
};

/* Gives bytes from the front, and takes them and `more`. */
static void give(lua_State *L, struct tg_buffer *in, size_t len, size_t more)
{
    struct tg_buffer *into = tg_buffer_test(L, INTO);
    luaL_Buffer text;

    if (into) {
        tg_buffer_move(in, into, len);
        tg_buffer_drain(in, more);
        lua_pushinteger(L, (lua_Integer)len);
        return;
    }
    tg_buffer_peek(in, luaL_buffinitsize(L, &text, len), len);
    luaL_pushresultsize(&text, len);
    tg_buffer_drain(in, len + more);
}

static int too_long(lua_State *L, const struct reading *reading)
{
    lua_pushnil(L);
    lua_pushfstring(L, "it is longer than %I bytes",
                    (lua_Integer)reading->limit);
    lua_pushliteral(L, "toolong");
    return 3;
}

/* What ends with `end`, which is not part of it. */
static int take_ended(lua_State *L, struct reading *reading,
                      struct tg_buffer *in)
{
    size_t have = tg_buffer_len(in), len;
    ssize_t at =
        tg_buffer_find(in, reading->end, reading->end_len, reading->scanned);

    if (at > (ssize_t)reading->limit ||
        (at < 0 && have >= reading->limit + reading->end_len))
        return too_long(L, reading);
    if (at < 0) {
        reading->scanned =
            have < reading->end_len ? 0 : have - reading->end_len + 1;
        return 0;
    }
    len = (size_t)at;
    if (reading->kind == LINE && len && tg_buffer_at(in, len - 1) == '\r')
        len--;
    give(L, in, len, (size_t)at - len + reading->end_len);
    return 1;
}

/* Returns how many results there are; 0: more must be received. */
static int take(lua_State *L, struct reading *reading, struct tg_buffer *in)
{
    size_t have = tg_buffer_len(in);

    switch (reading->kind) {
    case BYTES:
        if (have < reading->limit)
            return 0;
        give(L, in, reading->limit, 0);
        return 1;
    case SOME:
        if (have == 0)
            return 0;
        give(L, in, have < reading->limit ? have : reading->limit, 0);
        return 1;
    case ALL:
        return have > reading->limit ? too_long(L, reading) : 0;
    default:
        return take_ended(L, reading, in);
    }
}

static int ended(lua_State *L, struct reading *reading, int error)
{
    struct tg_socket_box *box = reading->use.box;
    struct tg_buffer *in = tg_socket_in(box->socket);
    int n = 0;

    if (reading->kind != ALL || error)
        n = tg_socket_failed(L, box, error);
    give(L, in, tg_buffer_len(in), 0);
    return n + 1;
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    struct reading *reading = lua_touserdata(L, READING);
    struct tg_socket_box *box = reading->use.box;
    ssize_t n;
    int results;

    (void)status, (void)context;
    for (;;) {
        if (!box->socket)
            return tg_socket_closed(L);
        results = take(L, reading, tg_socket_in(box->socket));
        if (results)
            return results;
        n = tg_socket_receive(box->socket, PIECE);
        if (n == -EAGAIN && reading->use.is_late)
            return tg_bind_timeout(L);
        if (n == -EAGAIN && box->receiver)
            return tg_socket_busy(L, false);
        if (n == -EAGAIN)
            return tg_socket_use_park(L, &reading->use, go_on, 0);
        if (n <= 0)
            return ended(L, reading, (int)n);
    }
}

static size_t limit_of(lua_State *L, size_t preset)
{
    lua_Integer limit;
    int is_integer;

    if (!lua_istable(L, OPTIONS) ||
        lua_getfield(L, OPTIONS, "limit") == LUA_TNIL)
        return preset;
    limit = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || limit < 1 || (size_t)limit > tg_socket_most(L))
        luaL_error(L, "'limit' is a number of bytes, and no more than "
                      "memory_limit");
    lua_pop(L, 1);
    return (size_t)limit;
}

static int begin(lua_State *L, struct tg_socket_box *box, enum kind kind,
                 size_t limit)
{
    static const char *const names[] = {"into", "limit", "timeout", NULL};
    struct reading *reading;
    double timeout;

    lua_settop(L, OPTIONS);
    tg_bind_options(L, OPTIONS, "read", names);
    timeout = tg_socket_timeout(L, OPTIONS, box->timeout);
    limit = limit_of(L, limit);
    lua_settop(L, OPTIONS);
    if (lua_isnil(L, OPTIONS))
        lua_pushnil(L);
    else if (lua_getfield(L, OPTIONS, "into") != LUA_TNIL &&
             !tg_buffer_test(L, INTO))
        luaL_error(L, "'into' is a buffer, not a %s", luaL_typename(L, INTO));
    reading = lua_newuserdatauv(L, sizeof(*reading), 0);
    tg_socket_use_init(&reading->use, box, false, timeout);
    reading->kind = kind;
    reading->limit = limit;
    reading->scanned = 0;
    reading->end =
        kind == UNTIL ? lua_tolstring(L, WHAT, &reading->end_len) : "\n";
    if (kind != UNTIL)
        reading->end_len = 1;
    if (box->receiver)
        return tg_socket_busy(L, false);
    return go_on(L, LUA_OK, 0);
}

int tg_socket_read(lua_State *L)
{
    static const char *const names[] = {"line", "all", "some", NULL};
    static const enum kind kinds[] = {LINE, ALL, SOME};
    static const size_t limits[] = {LINE_LIMIT, ALL_LIMIT, PIECE};
    struct tg_socket_box *box = tg_socket_check(L);
    lua_Integer n;
    int which;

    if (lua_type(L, WHAT) == LUA_TNUMBER) {
        n = luaL_checkinteger(L, WHAT);
        luaL_argcheck(L, n >= 1 && (size_t)n <= tg_socket_most(L), WHAT,
                      "a number of bytes, and no more than memory_limit");
        return begin(L, box, BYTES, (size_t)n);
    }
    which = luaL_checkoption(L, WHAT, NULL, names);
    return begin(L, box, kinds[which], limits[which]);
}

int tg_socket_read_until(lua_State *L)
{
    struct tg_socket_box *box = tg_socket_check(L);

    luaL_checktype(L, WHAT, LUA_TSTRING);
    luaL_argcheck(L, lua_rawlen(L, WHAT) > 0, WHAT, "an empty text");
    return begin(L, box, UNTIL, LINE_LIMIT);
}
