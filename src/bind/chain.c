// SPDX-License-Identifier: MIT
/*
 * tidegate.core.chain -- middleware around a handler, as one function.
 *
 *     run = chain(functions)    the handler, then what is around it, from the
 *                               innermost to the outermost
 *     run(request, response)    calls the outermost with a `next` of its own,
 *                               which calls the one below
 *
 * What a request costs is one C function for each `next`: it holds all that it
 * needs, so it may be called twice, late, or in another coroutine.  It also
 * keeps what it gave last, since a function that returns nothing hands that on.
 */
#include "bind/chain.h"

#include "bind/bind.h"

/* Upvalues of a `next`; of `run` only the first two. */
enum { FUNCTIONS = 1, AT, REQUEST, RESPONSE, FIRST, OTHERS, UPVALUES = OTHERS };

static int next(lua_State *L);

/* Pushes what is kept by the `next` in that slot; returns how much. */
static int push_kept(lua_State *L, int slot)
{
    int count, others, i;

    if (lua_isnil(L, slot)) /* nothing is below the handler */
        return 0;
    lua_getupvalue(L, slot, FIRST);
    lua_getupvalue(L, slot, OTHERS);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return 1;
    }
    others = lua_gettop(L);
    count = (int)lua_rawlen(L, others);
    luaL_checkstack(L, count, "too many results");
    for (i = 1; i <= count; i++)
        lua_rawgeti(L, others, i);
    lua_remove(L, others);
    return 1 + count;
}

/* What the function returned is above `slot`, where its `next` is. */
static int returned(lua_State *L, int status, lua_KContext slot)
{
    int count = lua_gettop(L) - (int)slot;

    (void)status;
    return count ? count : push_kept(L, (int)slot);
}

/* As above, for a `next`, which keeps it, too. */
static int kept(lua_State *L, int status, lua_KContext slot)
{
    int count = returned(L, status, slot), i;
    int first = lua_gettop(L) - count + 1;

    luaL_checkstack(L, 2, "too many results"); /* they may have filled it */
    if (count == 0)
        lua_pushnil(L);
    lua_copy(L, first, lua_upvalueindex(FIRST));
    lua_settop(L, first + count - 1);
    if (count > 1) {
        lua_createtable(L, count - 1, 0);
        for (i = 1; i < count; i++) {
            lua_pushvalue(L, first + i);
            lua_rawseti(L, -2, i);
        }
        lua_replace(L, lua_upvalueindex(OTHERS));
    } else if (!lua_isnil(L, lua_upvalueindex(OTHERS))) {
        lua_pushnil(L);
        lua_replace(L, lua_upvalueindex(OTHERS));
    }
    return count;
}

/* Calls the function that is next; its own `next`, or nil, is left in `slot`,
 * which is on top. */
static int call(lua_State *L, int request, int response, int slot,
                lua_KFunction then)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(AT));

    if (at > 1) {
        lua_pushvalue(L, lua_upvalueindex(FUNCTIONS));
        lua_pushinteger(L, at - 1);
        lua_pushvalue(L, request);
        lua_pushvalue(L, response);
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushcclosure(L, next, UPVALUES);
    } else {
        lua_pushnil(L);
    }
    lua_rawgeti(L, lua_upvalueindex(FUNCTIONS), at);
    lua_pushvalue(L, request);
    lua_pushvalue(L, response);
    if (at > 1)
        lua_pushvalue(L, slot);
    lua_callk(L, at > 1 ? 3 : 2, LUA_MULTRET, slot, then);
    return then(L, LUA_OK, slot);
}

static int next(lua_State *L)
{
    lua_settop(L, 0);
    return call(L, lua_upvalueindex(REQUEST), lua_upvalueindex(RESPONSE), 1,
                kept);
}

static int run(lua_State *L)
{
    lua_settop(L, 2);
    return call(L, 1, 2, 3, returned);
}

int tg_chain_make(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    lua_pushcclosure(L, run, 2);
    return 1;
}
