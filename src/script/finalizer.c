// SPDX-License-Identifier: MIT
#include "script/finalizer.h"

#include <lauxlib.h>

#include "base/log.h"
#include "script/state.h"

/* Takes over what the finalizer failed with: on L an error of its __tostring
 * is caught, on the coroutine it would not be. */
static void take_fault(lua_State *L, lua_State *co, int status)
{
    if (status != LUA_YIELD)
        lua_xmove(co, L, 1);
    else if (tg_turn_is_overdue(tg_state_of(L)->turn))
        tg_turn_push_excess(L); /* and a traceback, which is not shown */
    else
        lua_pushliteral(L, "a finalizer cannot wait");
}

/* Called by the collector: the object at 1, its __gc is the upvalue.  No task
 * runs meanwhile: the one that does cannot be parked by this coroutine. */
static int finalize(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_task *running = state->running;
    lua_State *co = lua_newthread(L), *before;
    size_t ceiling = state->ceiling;
    int status, nresults;

    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 2);
    before = tg_turn_begin(state->turn, co, state->budget.milliseconds);
    if (ceiling > state->budget.state_bytes)
        state->ceiling = state->budget.state_bytes;
    state->running = NULL;
    status = lua_resume(co, L, 1, &nresults);
    if (status != LUA_OK) {
        take_fault(L, co, status);
        lua_resetthread(co); /* its to-be-closed variables run */
    }
    state->running = running;
    state->ceiling = ceiling;
    tg_turn_end(state->turn, co, before);
    if (status != LUA_OK)
        tg_log(TG_LOG_ERROR, "__gc: %s", luaL_tolstring(L, 3, NULL));
    return 0;
}

/* setmetatable(object, metatable), whose __gc is wrapped once. */
static int set_metatable(lua_State *L)
{
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) == LUA_TFUNCTION &&
            lua_tocfunction(L, -1) != finalize) {
            lua_pushcclosure(L, finalize, 1);
            lua_pushliteral(L, "__gc");
            lua_insert(L, -2);
            lua_rawset(L, 2);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1)); /* Lua's own does the rest */
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

void tg_finalizer_open(lua_State *L)
{
    lua_getglobal(L, "setmetatable");
    lua_pushcclosure(L, set_metatable, 1);
    lua_setglobal(L, "setmetatable");
}
