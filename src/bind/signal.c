// SPDX-License-Identifier: MIT
/*
 * tidegate.core.signal -- signals for whom handlers ask.
 *
 *     signal.want(name)      its number: the app asks for it; or nil and why
 *                            it cannot
 *     signal.deliver(fn)     fn(number) runs, as a task, when one has come
 */
#include "base/signals.h"

#include "bind/app.h"
#include "bind/bind.h"
#include "script/state.h"

static const char deliver_key; /* registry: the function */

static int signal_want(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *why;
    struct tg_app *app = tg_state_of(L)->host;
    int number = tg_signals_find(name);

    luaL_pushfail(L);
    if (!number) {
        lua_pushfstring(L, "unknown signal '%s'", name);
        return 2;
    }
    why = tg_signals_taken(number);
    if (why) {
        lua_pushfstring(L, "%s %s", name, why);
        return 2;
    }
    if (app->loop) {
        lua_pushliteral(L, "handlers have been loaded: on() belongs to the top "
                           "level of a file");
        return 2;
    }
    app->signals |= TG_SIGNALS_BIT(number);
    lua_pushinteger(L, number);
    return 1;
}

static int signal_deliver(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &deliver_key);
    return 0;
}

/* Protected. */
static int deliver(lua_State *L)
{
    int *number = lua_touserdata(L, 1);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &deliver_key);
    lua_pushinteger(L, *number);
    tg_app_spawn(tg_state_of(L)->host, L, 1, "signal");
    return 0;
}

void tg_app_signal(struct tg_app *app, int number)
{
    if (app->signals & TG_SIGNALS_BIT(number))
        tg_state_attempt(app->state, deliver, &number, "signal");
}

static const luaL_Reg functions[] = {
    {"want", signal_want},
    {"deliver", signal_deliver},
    {NULL, NULL},
};

int luaopen_tidegate_core_signal(lua_State *L);

int luaopen_tidegate_core_signal(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
