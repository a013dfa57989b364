// SPDX-License-Identifier: MIT
/*
 * tidegate.core.event -- something has happened, or has not yet.
 *
 *     event()               not set
 *     e:wait([seconds])     true once it is set, at once if it is;
 *                           nil, "timed out", "timeout"
 *     e:set()               wakes all that wait
 *     e:clear()
 *     e:is_set()
 */
#include "bind/bind.h"
#include "bind/line.h"

#define EVENT "tidegate.event"

struct event {
    struct tg_line line; /* its permits are not looked at */
    bool is_set;
};

static int event_new(lua_State *L)
{
    struct event *event = lua_newuserdatauv(L, sizeof(*event), 0);

    tg_line_init(&event->line, 0);
    event->line.broadcasts = true;
    event->is_set = false;
    luaL_setmetatable(L, EVENT);
    return 1;
}

static int waited(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_toboolean(L, -1) ? 1 : tg_bind_timeout(L);
}

static int event_wait(lua_State *L)
{
    struct event *event = luaL_checkudata(L, 1, EVENT);

    lua_settop(L, 2);
    event->line.permits = event->is_set;
    return tg_line_take(L, &event->line, 2, waited, 0);
}

static int event_set(lua_State *L)
{
    struct event *event = luaL_checkudata(L, 1, EVENT);

    event->is_set = true;
    while (event->line.nwaiting)
        tg_line_give(&event->line);
    return 0;
}

static int event_clear(lua_State *L)
{
    struct event *event = luaL_checkudata(L, 1, EVENT);

    event->is_set = false;
    return 0;
}

static int event_is_set(lua_State *L)
{
    struct event *event = luaL_checkudata(L, 1, EVENT);

    lua_pushboolean(L, event->is_set);
    return 1;
}

static const luaL_Reg methods[] = {
    {"wait", event_wait},     {"set", event_set}, {"clear", event_clear},
    {"is_set", event_is_set}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {NULL, NULL},
};

int luaopen_tidegate_core_event(lua_State *L);

int luaopen_tidegate_core_event(lua_State *L)
{
    tg_bind_class(L, EVENT, methods, metamethods);
    lua_pushcfunction(L, event_new);
    return 1;
}
