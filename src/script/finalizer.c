// SPDX-License-Identifier: MIT
#include "script/finalizer.h"

#include <lauxlib.h>

#include "base/log.h"
#include "script/state.h"

/* Called by the collector: the object at 1, its __gc is the upvalue.  No task
 * runs meanwhile: the one that does cannot be parked by this coroutine. */
static int finalize(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_task *running = state->running;
    lua_State *co = lua_newthread(L), *before;
    int status, nresults;

    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 2);
    before = tg_turn_begin(state->turn, co, state->budget.milliseconds);
    state->running = NULL;
    status = lua_resume(co, L, 1, &nresults);
    state->running = running;
    tg_turn_end(state->turn, co, before);
    if (status == LUA_YIELD && tg_turn_is_overdue(state->turn)) {
        tg_turn_push_excess(L);
        tg_log(TG_LOG_ERROR, "__gc: %s", lua_tostring(L, -1));
    } else if (status == LUA_YIELD)
        tg_log(TG_LOG_ERROR, "__gc: a finalizer cannot wait");
    else if (status != LUA_OK)
        tg_log(TG_LOG_ERROR, "__gc: %s", luaL_tolstring(co, -1, NULL));
    state->running = NULL;
    lua_resetthread(co);
    state->running = running;
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
