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

/* Where a call has its values; what the function returns comes behind. */
enum { SLOT_REQUEST = 1, SLOT_RESPONSE, SLOT_NEXT, RETURNED };

static int next(lua_State *L);

/* Pushes what is kept by the `next` of this call; returns how much. */
static int push_kept(lua_State *L)
{
    int count, i;

    if (lua_isnil(L, SLOT_NEXT)) /* nothing is below the handler */
        return 0;
    lua_getupvalue(L, SLOT_NEXT, FIRST);
    lua_getupvalue(L, SLOT_NEXT, OTHERS); /* first others */
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return 1;
    }
    count = (int)lua_rawlen(L, -1);
    luaL_checkstack(L, count, "too many results");
    for (i = 1; i <= count; i++)
        lua_rawgeti(L, RETURNED + 1, i);
    lua_remove(L, RETURNED + 1);
    return 1 + count;
}

static int returned(lua_State *L, int status, lua_KContext context)
{
    int count = lua_gettop(L) - SLOT_NEXT;

    (void)status, (void)context;
    return count ? count : push_kept(L);
}

/* As above, for a `next`, which keeps it, too. */
static int kept(lua_State *L, int status, lua_KContext context)
{
    int count = returned(L, status, context), i;
    int first = lua_gettop(L) - count + 1;

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

/* Calls the function that is next; request and response are all there is. */
static void call(lua_State *L, lua_KFunction then)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(AT));

    if (at > 1) {
        lua_pushvalue(L, lua_upvalueindex(FUNCTIONS));
        lua_pushinteger(L, at - 1);
        lua_pushvalue(L, SLOT_REQUEST);
        lua_pushvalue(L, SLOT_RESPONSE);
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushcclosure(L, next, UPVALUES);
    } else {
        lua_pushnil(L);
    }
    lua_rawgeti(L, lua_upvalueindex(FUNCTIONS), at);
    lua_pushvalue(L, SLOT_REQUEST);
    lua_pushvalue(L, SLOT_RESPONSE);
    if (at > 1)
        lua_pushvalue(L, SLOT_NEXT);
    lua_callk(L, at > 1 ? 3 : 2, LUA_MULTRET, 0, then);
}

static int next(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(REQUEST));
    lua_pushvalue(L, lua_upvalueindex(RESPONSE));
    call(L, kept);
    return kept(L, LUA_OK, 0);
}

static int run(lua_State *L)
{
    lua_settop(L, 2);
    call(L, returned);
    return returned(L, LUA_OK, 0);
}

int tg_chain_make(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    lua_pushcclosure(L, run, 2);
    return 1;
}
