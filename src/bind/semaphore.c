// SPDX-License-Identifier: MIT
/*
 * tidegate.core.semaphore -- so many at once, and no more.
 *
 *     semaphore(n)             n permits
 *     s:acquire([seconds])     a permit; waits for it in line
 *                              nil, "timed out", "timeout"
 *     s.free  s.waiting        permits that nobody has; tasks in line
 *     p:release()              true, or false if it was released before
 *
 * A permit is released at the latest when it is closed or collected.
 */
#include <string.h>

#include "bind/bind.h"
#include "bind/line.h"

#define SEMAPHORE "tidegate.semaphore"
#define PERMIT "tidegate.permit"

/* The semaphore is its uservalue, and so lives as long. */
struct permit {
    struct tg_line *line; /* NULL: released, or not acquired yet */
};

static int semaphore_new(lua_State *L)
{
    lua_Integer count = luaL_checkinteger(L, 1);
    struct tg_line *line;

    luaL_argcheck(L, count >= 1, 1, "a semaphore has one permit or more");
    line = lua_newuserdatauv(L, sizeof(*line), 0);
    tg_line_init(line, count);
    luaL_setmetatable(L, SEMAPHORE);
    return 1;
}

/* On top: was there one?  The permit is at 3. */
static int acquired(lua_State *L, int status, lua_KContext context)
{
    struct permit *permit = lua_touserdata(L, 3);

    (void)status, (void)context;
    if (!lua_toboolean(L, -1))
        return tg_bind_timeout(L);
    permit->line = lua_touserdata(L, 1);
    lua_settop(L, 3);
    return 1;
}

static int semaphore_acquire(lua_State *L)
{
    struct tg_line *line = luaL_checkudata(L, 1, SEMAPHORE);
    struct permit *permit;

    lua_settop(L, 2);
    permit = lua_newuserdatauv(L, sizeof(*permit), 1); /* nothing can fail */
    permit->line = NULL;                               /* once it is given */
    luaL_setmetatable(L, PERMIT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return tg_line_take(L, line, 2, acquired, 0);
}

static int semaphore_index(lua_State *L)
{
    struct tg_line *line = luaL_checkudata(L, 1, SEMAPHORE);
    const char *key = luaL_checkstring(L, 2);

    if (strcmp(key, "free") == 0)
        lua_pushinteger(L, line->permits);
    else if (strcmp(key, "waiting") == 0)
        lua_pushinteger(L, line->nwaiting);
    else
        lua_getfield(L, lua_upvalueindex(1), key);
    return 1;
}

static int permit_release(lua_State *L)
{
    struct permit *permit = luaL_checkudata(L, 1, PERMIT);

    lua_pushboolean(L, permit->line != NULL);
    if (permit->line)
        tg_line_give(permit->line);
    permit->line = NULL;
    return 1;
}

static const luaL_Reg semaphore_methods[] = {
    {"acquire", semaphore_acquire},
    {NULL, NULL},
};

static const luaL_Reg no_metamethods[] = {
    {NULL, NULL},
};

static const luaL_Reg permit_methods[] = {
    {"release", permit_release},
    {NULL, NULL},
};

static const luaL_Reg permit_metamethods[] = {
    {"__close", permit_release},
    {"__gc", permit_release},
    {NULL, NULL},
};

int luaopen_tidegate_core_semaphore(lua_State *L);

int luaopen_tidegate_core_semaphore(lua_State *L)
{
    tg_bind_class(L, SEMAPHORE, semaphore_methods, no_metamethods);
    luaL_getmetatable(L, SEMAPHORE);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, semaphore_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    tg_bind_class(L, PERMIT, permit_methods, permit_metamethods);
    lua_pushcfunction(L, semaphore_new);
    return 1;
}
