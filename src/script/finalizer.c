// SPDX-License-Identifier: MIT
#include "script/finalizer.h"

#include <lauxlib.h>

#include "base/log.h"
#include "script/coroutine.h"
#include "script/state.h"

enum { FORCED_MOST = 10 }; /* so often a finalizer may have to be ended */

/* Registry: for each object that has a finalizer its sentinel, a userdata that
 * dies with it.  Lua must not call the finalizer itself: it would do so where
 * no hook can end it. */
static const char sentinels_key;

/* What the finalizer failed with.  Its __tostring is not called: that is code
 * that may never end, too. */
static const char *describe(lua_State *L, lua_State *co, int status)
{
    if (status == LUA_YIELD && tg_turn_is_overdue(tg_state_of(L)->turn))
        tg_turn_push_excess(L); /* and a traceback, which is not shown */
    else if (status == LUA_YIELD)
        return "a finalizer cannot wait";
    else
        lua_xmove(co, L, 1);
    if (status == LUA_YIELD)
        lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
        return lua_tostring(L, -1);
    return lua_pushfstring(L, "(the error is a %s, not a message)",
                           luaL_typename(L, -1));
}

/* Its time: less each time that one had to be ended. */
static unsigned time_of(const struct tg_state *state)
{
    unsigned time = state->budget.milliseconds >> state->forced;

    return time ? time : 1;
}

/* One that had to be ended does not end what ran before, and what ran before
 * and is over its time does not end the finalizer. */
static void settle(struct tg_state *state, bool was_overdue)
{
    if (tg_turn_is_overdue(state->turn)) {
        tg_turn_renew(state->turn);
        if (++state->forced == FORCED_MOST)
            tg_log(TG_LOG_ERROR,
                   "__gc: %d finalizers had to be ended: no more are run in "
                   "this state",
                   FORCED_MOST);
    }
    if (was_overdue)
        tg_turn_overrun(state->turn);
}

/* The object is at 2, its finalizer on top.  No task runs meanwhile: the one
 * that does cannot be parked by this coroutine. */
static void call(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_task *running = state->running;
    bool was_overdue = tg_turn_is_overdue(state->turn);
    lua_State *co = lua_newthread(L), *before;
    size_t ceiling = state->ceiling;
    int status, nresults;
    const char *fault = NULL;

    lua_pushvalue(L, -2);
    lua_pushvalue(L, 2);
    lua_xmove(L, co, 2);
    if (was_overdue)
        tg_turn_renew(state->turn);
    before = tg_turn_begin(state->turn, co, time_of(state));
    if (ceiling > state->budget.state_bytes)
        state->ceiling = state->budget.state_bytes;
    state->running = NULL;
    status = lua_resume(co, L, 1, &nresults);
    if (status != LUA_OK) {
        fault = describe(L, co, status);
        tg_coroutine_reset(co); /* its to-be-closed variables run */
    }
    settle(state, was_overdue);
    state->running = running;
    state->ceiling = ceiling;
    tg_turn_end(state->turn, co, before);
    if (fault)
        tg_log(TG_LOG_ERROR, "__gc: %s", fault);
}

/* Called by the collector: the sentinel is at 1. */
static int finalize(lua_State *L)
{
    lua_getiuservalue(L, 1, 1); /* 2: the object */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinels_key);
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    lua_rawset(L, -3); /* it may get another one */
    if (tg_state_of(L)->forced >= FORCED_MOST || !lua_getmetatable(L, 2))
        return 0;
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, -2) == LUA_TFUNCTION)
        call(L);
    return 0;
}

/* Makes a sentinel for the object at 1, unless it has one. */
static void watch(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinels_key);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_newuserdatauv(L, 0, 1);
        lua_pushvalue(L, 1);
        lua_setiuservalue(L, -2, 1);
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_setmetatable(L, -2);
        lua_rawset(L, -4);
    }
    lua_settop(L, 2);
}

/* As Lua's own; but the collector finds no finalizer.  Nothing is allocated
 * while it is hidden, so that nothing else runs then. */
static int set_with_finalizer(lua_State *L)
{
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    watch(L);
    lua_pushliteral(L, "__gc"); /* 3 */
    lua_pushvalue(L, 3);
    lua_rawget(L, 2); /* 4: the finalizer */
    lua_pushvalue(L, 3);
    lua_pushnil(L);
    lua_rawset(L, 2);
    lua_pushvalue(L, 2);
    lua_setmetatable(L, 1);
    lua_settop(L, 4);
    lua_rawset(L, 2);
    lua_settop(L, 1);
    return 1;
}

/* setmetatable(object, metatable) */
static int set_metatable(lua_State *L)
{
    if (lua_istable(L, 1) && lua_istable(L, 2)) {
        lua_settop(L, 2);
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            lua_settop(L, 2);
            return set_with_finalizer(L);
        }
        lua_settop(L, 2);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

void tg_finalizer_open(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinels_key);
    lua_getglobal(L, "setmetatable");
    lua_createtable(L, 0, 1); /* the sentinels' metatable */
    lua_pushcfunction(L, finalize);
    lua_setfield(L, -2, "__gc");
    lua_pushcclosure(L, set_metatable, 2);
    lua_setglobal(L, "setmetatable");
}
