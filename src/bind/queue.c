// SPDX-License-Identifier: MIT
/*
 * tidegate.core.queue -- values from some tasks to others, in their order.
 *
 *     queue([n])               room for n values, or for any number
 *     q:put(value [, s])       waits while there is no room; true
 *     q:get([s])               waits while there is no value; the value
 *     q:close()                no more is put; what is in it may be got
 *     #q                       values in it
 *
 * Both give nil, "timed out", "timeout", or nil, "closed", "closed".
 */
#include "bind/bind.h"
#include "bind/line.h"

#define QUEUE "tidegate.queue"

struct queue {
    struct tg_line room, values;
    lua_Integer first, next; /* of the values, which uservalue 1 holds */
    bool is_closed;
};

static int queue_new(lua_State *L)
{
    lua_Integer most = luaL_optinteger(L, 1, LUA_MAXINTEGER);
    struct queue *queue;

    luaL_argcheck(L, most >= 1, 1, "a queue has room for one value or more");
    queue = lua_newuserdatauv(L, sizeof(*queue), 1);
    tg_line_init(&queue->room, most);
    tg_line_init(&queue->values, 0);
    queue->first = queue->next = 1;
    queue->is_closed = false;
    luaL_setmetatable(L, QUEUE);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static int closed(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    lua_pushliteral(L, "closed");
    return 3;
}

/* On top: is there room?  The value is at 2. */
static int have_room(lua_State *L, int status, lua_KContext context)
{
    struct queue *queue = lua_touserdata(L, 1);

    (void)status, (void)context;
    if (queue->is_closed)
        return closed(L);
    if (!lua_toboolean(L, -1))
        return tg_bind_timeout(L);
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    queue->room.permits++; /* that may raise: then the room is free again */
    lua_rawseti(L, -2, queue->next);
    queue->room.permits--;
    queue->next++;
    tg_line_give(&queue->values);
    lua_pushboolean(L, 1);
    return 1;
}

static int queue_put(lua_State *L)
{
    struct queue *queue = luaL_checkudata(L, 1, QUEUE);

    luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "nil cannot be put");
    lua_settop(L, 3);
    if (queue->is_closed)
        return closed(L);
    return tg_line_take(L, &queue->room, 3, have_room, 0);
}

static int have_value(lua_State *L, int status, lua_KContext context)
{
    struct queue *queue = lua_touserdata(L, 1);

    (void)status, (void)context;
    if (!lua_toboolean(L, -1))
        return tg_bind_timeout(L);
    if (queue->first == queue->next) /* it woke since the queue was closed */
        return closed(L);
    lua_getiuservalue(L, 1, 1);
    lua_rawgeti(L, -1, queue->first);
    lua_pushnil(L);
    lua_rawseti(L, -3, queue->first++);
    tg_line_give(&queue->room);
    return 1;
}

static int queue_get(lua_State *L)
{
    struct queue *queue = luaL_checkudata(L, 1, QUEUE);

    lua_settop(L, 2);
    if (queue->is_closed && queue->first == queue->next)
        return closed(L);
    return tg_line_take(L, &queue->values, 2, have_value, 0);
}

static int queue_close(lua_State *L)
{
    struct queue *queue = luaL_checkudata(L, 1, QUEUE);

    queue->is_closed = true;
    while (queue->values.nwaiting)
        tg_line_give(&queue->values);
    while (queue->room.nwaiting)
        tg_line_give(&queue->room);
    return 0;
}

static int queue_len(lua_State *L)
{
    struct queue *queue = luaL_checkudata(L, 1, QUEUE);

    lua_pushinteger(L, queue->next - queue->first);
    return 1;
}

static const luaL_Reg methods[] = {
    {"put", queue_put},
    {"get", queue_get},
    {"close", queue_close},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", queue_len},
    {NULL, NULL},
};

int luaopen_tidegate_core_queue(lua_State *L);

int luaopen_tidegate_core_queue(lua_State *L)
{
    tg_bind_class(L, QUEUE, methods, metamethods);
    lua_pushcfunction(L, queue_new);
    return 1;
}
