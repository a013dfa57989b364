// SPDX-License-Identifier: MIT
/*
 * tidegate.core.buffer -- a queue of bytes, cheap to add to and to take from.
 *
 *     buffer.new(...)           holds the strings, numbers and buffers given
 *     #b                        its length
 *     b:add(...)                adds at the end; returns b.  A buffer that is
 *                               added is emptied.
 *     b:take([n])               removes and returns up to n bytes (all)
 *     b:peek([n])               returns up to n bytes and leaves them
 *     b:drain([n])              removes up to n bytes; returns how many
 *     b:find(text [, from])     where it first stands, from 1, or nil
 *     b:line()                  takes a line without its end, or nil if there
 *                               is no whole one
 *     b:lines()                 an iterator over lines; the rest counts as one
 *     b:move(to [, n])          moves up to n bytes without copying
 *     tostring(b)               all bytes; they stay
 *
 * What it holds counts as memory of the Lua state.
 */
#include "net/buffer.h"
#include "bind/bind.h"
#include "script/state.h"

struct box {
    struct tg_buffer *buffer; /* NULL in a finalizer */
    size_t held;              /* bytes that the state counts */
};

static struct tg_buffer *check_buffer(lua_State *L, int index)
{
    struct box *box = luaL_checkudata(L, index, TG_BUFFER);

    luaL_argcheck(L, box->buffer, index, "buffer is closed");
    return box->buffer;
}

struct tg_buffer *tg_buffer_test(lua_State *L, int index)
{
    struct box *box = luaL_testudata(L, index, TG_BUFFER);

    return box ? box->buffer : NULL;
}

/* The state counts what the buffer at `index` holds; others fill and empty it,
 * too.  And `more` bytes, which it is about to hold: raises if these may not be
 * had. */
static void count(lua_State *L, int index, size_t more)
{
    struct box *box = lua_touserdata(L, index);
    size_t len = tg_buffer_len(box->buffer);

    tg_state_give_back(L, box->held);
    box->held = len;
    tg_state_of(L)->bytes += len;
    if (more)
        tg_state_hold(L, more);
    box->held += more;
}

struct tg_buffer *tg_buffer_push(lua_State *L)
{
    struct box *box;

    if (tg_state_of(L)->closing) /* nothing would finalize it */
        luaL_error(L, "no buffer can be made while the Lua state is closing");
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    *box = (struct box){0}; /* whole before it has a __gc */
    luaL_setmetatable(L, TG_BUFFER);
    return box->buffer = tg_buffer_new();
}

static size_t opt_size(lua_State *L, int index)
{
    lua_Integer n;

    if (lua_isnoneornil(L, index))
        return SIZE_MAX;
    n = luaL_checkinteger(L, index);
    luaL_argcheck(L, n >= 0, index, "a number of bytes is not negative");
    return (size_t)n;
}

/* Adds the value at `index` to the buffer at `to`. */
static void add(lua_State *L, int to, int index)
{
    struct tg_buffer *buffer = check_buffer(L, to);
    struct tg_buffer *other = tg_buffer_test(L, index);
    size_t len;
    const char *data;

    luaL_argcheck(L, other != buffer, index, "cannot be added to itself");
    if (other) {
        count(L, to, tg_buffer_len(other));
        tg_buffer_move(other, buffer, SIZE_MAX);
        count(L, index, 0);
    } else {
        data = luaL_checklstring(L, index, &len);
        count(L, to, len);
        tg_buffer_add(buffer, data, len);
    }
}

static int buffer_new(lua_State *L)
{
    int count = lua_gettop(L), i;

    tg_buffer_push(L);
    for (i = 1; i <= count; i++)
        add(L, count + 1, i);
    return 1;
}

static int buffer_gc(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, TG_BUFFER);

    if (box->buffer)
        tg_buffer_free(box->buffer);
    tg_state_give_back(L, box->held);
    *box = (struct box){0};
    return 0;
}

static int buffer_add(lua_State *L)
{
    int i, top = lua_gettop(L);

    check_buffer(L, 1);
    for (i = 2; i <= top; i++)
        add(L, 1, i);
    lua_settop(L, 1);
    return 1;
}

static void push_front(lua_State *L, struct tg_buffer *buffer, size_t most)
{
    size_t len = tg_buffer_len(buffer);
    luaL_Buffer text;

    len = len < most ? len : most;
    tg_buffer_peek(buffer, luaL_buffinitsize(L, &text, len), len);
    luaL_pushresultsize(&text, len);
}

static int buffer_take(lua_State *L)
{
    struct tg_buffer *buffer = check_buffer(L, 1);
    size_t most = opt_size(L, 2);

    push_front(L, buffer, most);
    tg_buffer_drain(buffer, lua_rawlen(L, -1));
    count(L, 1, 0);
    return 1;
}

static int buffer_peek(lua_State *L)
{
    push_front(L, check_buffer(L, 1), opt_size(L, 2));
    return 1;
}

static int buffer_drain(lua_State *L)
{
    struct tg_buffer *buffer = check_buffer(L, 1);
    size_t most = opt_size(L, 2), len = tg_buffer_len(buffer);

    len = len < most ? len : most;
    tg_buffer_drain(buffer, len);
    count(L, 1, 0);
    lua_pushinteger(L, (lua_Integer)len);
    return 1;
}

static int buffer_find(lua_State *L)
{
    struct tg_buffer *buffer = check_buffer(L, 1);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    ssize_t at;

    luaL_argcheck(L, len > 0, 2, "an empty text is everywhere");
    luaL_argcheck(L, from >= 1, 3, "positions count from 1");
    at = tg_buffer_find(buffer, text, len, (size_t)from - 1);
    if (at < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, at + 1);
    return 1;
}

/* Takes `len` bytes as a line and drops the line feed behind them. */
static int take_line(lua_State *L, struct tg_buffer *buffer, size_t len)
{
    const char *line;
    size_t shown = len;

    push_front(L, buffer, len);
    line = lua_tostring(L, -1);
    if (shown && line[shown - 1] == '\r')
        lua_pushlstring(L, line, shown - 1);
    tg_buffer_drain(buffer, len + 1);
    count(L, 1, 0);
    return 1;
}

static int buffer_line(lua_State *L)
{
    struct tg_buffer *buffer = check_buffer(L, 1);
    ssize_t at = tg_buffer_find(buffer, "\n", 1, 0);

    if (at >= 0)
        return take_line(L, buffer, (size_t)at);
    lua_pushnil(L);
    return 1;
}

static int next_line(lua_State *L)
{
    struct tg_buffer *buffer = check_buffer(L, 1);
    ssize_t at = tg_buffer_find(buffer, "\n", 1, 0);

    if (at >= 0)
        return take_line(L, buffer, (size_t)at);
    if (tg_buffer_len(buffer))
        return take_line(L, buffer, tg_buffer_len(buffer));
    lua_pushnil(L);
    return 1;
}

static int buffer_lines(lua_State *L)
{
    check_buffer(L, 1);
    lua_pushcfunction(L, next_line);
    lua_pushvalue(L, 1);
    return 2;
}

static int buffer_move(lua_State *L)
{
    struct tg_buffer *from = check_buffer(L, 1), *to = check_buffer(L, 2);
    size_t most = opt_size(L, 3);

    luaL_argcheck(L, from != to, 2, "cannot be moved to itself");
    most = most < tg_buffer_len(from) ? most : tg_buffer_len(from);
    count(L, 2, most);
    lua_pushinteger(L, (lua_Integer)tg_buffer_move(from, to, most));
    count(L, 1, 0);
    return 1;
}

static int buffer_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tg_buffer_len(check_buffer(L, 1)));
    return 1;
}

static int buffer_tostring(lua_State *L)
{
    push_front(L, check_buffer(L, 1), SIZE_MAX);
    return 1;
}

static const luaL_Reg methods[] = {
    {"add", buffer_add},     {"take", buffer_take}, {"peek", buffer_peek},
    {"drain", buffer_drain}, {"find", buffer_find}, {"line", buffer_line},
    {"lines", buffer_lines}, {"move", buffer_move}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", buffer_gc},
    {"__len", buffer_len},
    {"__tostring", buffer_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", buffer_new},
    {NULL, NULL},
};

int luaopen_tidegate_core_buffer(lua_State *L);

int luaopen_tidegate_core_buffer(lua_State *L)
{
    tg_bind_class(L, TG_BUFFER, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
