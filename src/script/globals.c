// SPDX-License-Identifier: MIT
#include "script/globals.h"

#include <lauxlib.h>

/* Raises; the name is at 2. */
static int refuse_global(lua_State *L)
{
    return luaL_error(L, "cannot write global '%s' here: make it local",
                      luaL_tolstring(L, 2, NULL));
}

/* rawset() that knows _G. */
static int raw_set(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    lua_pushglobaltable(L);
    if (lua_rawequal(L, 1, -1))
        return refuse_global(L);
    lua_pop(L, 1);
    lua_rawset(L, 1);
    return 1;
}

/* All strings have one metatable: who changed it would change it for all. */
static void hide_string_metatable(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

static int next_global(lua_State *L)
{
    lua_settop(L, 2);
    return lua_next(L, lua_upvalueindex(1)) ? 2 : 0;
}

static int all_globals(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1)); /* not handed out: it is writable */
    lua_pushcclosure(L, next_global, 1);
    return 1;
}

/* _G becomes an empty table that reads what it held: so even a global that
 * exists cannot be written. */
int tg_globals_lock(lua_State *L)
{
    static const char locked_key;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &locked_key) != LUA_TNIL)
        return 0; /* a second time would lose what is held */
    lua_pushboolean(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &locked_key);
    hide_string_metatable(L);
    lua_pushcfunction(L, raw_set);
    lua_setglobal(L, "rawset");
    lua_newtable(L); /* held */
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) { /* held _G key value */
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5); /* held _G key */
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4);
    }
    lua_createtable(L, 0, 4); /* held _G mt */
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_global);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, all_globals, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return 0;
}
