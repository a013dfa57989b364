// SPDX-License-Identifier: MIT
/*
 * tidegate.core -- what the Lua half of the gateway asks of the C half.
 *
 *     core.version  .generation  .thread  .threads  .body_limit
 *     core.time_limit  .memory_limit
 *     core.settings()      path and text of tidegate.lua, or nil
 *     core.reason(status)  the phrase of a status, or ""
 *     core.lock()          no global may be written any more
 *     core.parameters(fn)  list of their names, and whether it takes more
 *     core.arity(fn)       how many they are, and whether it takes more
 *     core.trace(error)    its traceback, for xpcall() in a task
 *     core.chain(list)     a handler and its middleware as one; chain.c
 */
#include "bind/core.h"

#include "base/settings.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "bind/chain.h"
#include "http/status.h"
#include "script/bundle.h"
#include "script/failure.h"
#include "script/globals.h"
#include "script/state.h"

static int core_settings(lua_State *L)
{
    struct tg_bundle *bundle = tg_state_of(L)->bundle;

    if (!bundle->settings.text)
        return 0;
    lua_pushstring(L, bundle->settings.path);
    lua_pushlstring(L, bundle->settings.text, bundle->settings.len);
    return 2;
}

static int core_lock(lua_State *L)
{
    return tg_globals_lock(L);
}

static int core_reason(lua_State *L)
{
    lua_pushstring(L, tg_status_reason((int)luaL_checkinteger(L, 1)));
    return 1;
}

static int core_parameters(lua_State *L)
{
    lua_Debug info;
    const char *name;
    int i;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_insert(L, 1); /* names function */
    for (i = 1; (name = lua_getlocal(L, NULL, i)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, 1, i);
    }
    lua_getinfo(L, ">u", &info);
    lua_pushboolean(L, info.isvararg);
    return 2;
}

static int core_arity(lua_State *L)
{
    lua_Debug info;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_getinfo(L, ">u", &info);
    lua_pushinteger(L, info.nparams);
    lua_pushboolean(L, info.isvararg);
    return 2;
}

static int core_trace(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (!tg_state_of(L)->running)
        return luaL_error(L, "no task runs");
    tg_failure_trace(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"reason", core_reason},  {"parameters", core_parameters},
    {"arity", core_arity},    {"trace", core_trace},
    {"chain", tg_chain_make}, {"settings", core_settings},
    {"lock", core_lock},      {NULL, NULL},
};

static int open_core(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_app *app = state->host;

    luaL_newlib(L, functions);
    lua_pushliteral(L, TG_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushinteger(L, (lua_Integer)state->generation);
    lua_setfield(L, -2, "generation");
    lua_pushinteger(L, state->thread);
    lua_setfield(L, -2, "thread");
    lua_pushinteger(L, app->limits->body_limit);
    lua_setfield(L, -2, "body_limit");
    lua_pushinteger(L, app->limits->memory_limit);
    lua_setfield(L, -2, "memory_limit");
    lua_pushnumber(L, app->limits->time_limit);
    lua_setfield(L, -2, "time_limit");
    return 1;
}

int luaopen_tidegate_core_buffer(lua_State *L);
int luaopen_tidegate_core_channel(lua_State *L);
int luaopen_tidegate_core_dns(lua_State *L);
int luaopen_tidegate_core_files(lua_State *L);
int luaopen_tidegate_core_headers(lua_State *L);
int luaopen_tidegate_core_http(lua_State *L);
int luaopen_tidegate_core_json(lua_State *L);
int luaopen_tidegate_core_log(lua_State *L);
int luaopen_tidegate_core_multipart(lua_State *L);
int luaopen_tidegate_core_request(lua_State *L);
int luaopen_tidegate_core_response(lua_State *L);
int luaopen_tidegate_core_service(lua_State *L);
int luaopen_tidegate_core_shared(lua_State *L);
int luaopen_tidegate_core_event(lua_State *L);
int luaopen_tidegate_core_queue(lua_State *L);
int luaopen_tidegate_core_semaphore(lua_State *L);
int luaopen_tidegate_core_socket(lua_State *L);
int luaopen_tidegate_core_signal(lua_State *L);
int luaopen_tidegate_core_source(lua_State *L);
int luaopen_tidegate_core_task(lua_State *L);
int luaopen_tidegate_core_timer(lua_State *L);
int luaopen_tidegate_core_udp(lua_State *L);

static const luaL_Reg modules[] = {
    {"tidegate.core", open_core},
    {"tidegate.core.buffer", luaopen_tidegate_core_buffer},
    {"tidegate.core.channel", luaopen_tidegate_core_channel},
    {"tidegate.core.dns", luaopen_tidegate_core_dns},
    {"tidegate.core.files", luaopen_tidegate_core_files},
    {"tidegate.core.http", luaopen_tidegate_core_http},
    {"tidegate.core.json", luaopen_tidegate_core_json},
    {"tidegate.core.log", luaopen_tidegate_core_log},
    {"tidegate.core.service", luaopen_tidegate_core_service},
    {"tidegate.core.shared", luaopen_tidegate_core_shared},
    {"tidegate.core.event", luaopen_tidegate_core_event},
    {"tidegate.core.queue", luaopen_tidegate_core_queue},
    {"tidegate.core.semaphore", luaopen_tidegate_core_semaphore},
    {"tidegate.core.socket", luaopen_tidegate_core_socket},
    {"tidegate.core.signal", luaopen_tidegate_core_signal},
    {"tidegate.core.source", luaopen_tidegate_core_source},
    {"tidegate.core.task", luaopen_tidegate_core_task},
    {"tidegate.core.timer", luaopen_tidegate_core_timer},
    {"tidegate.core.udp", luaopen_tidegate_core_udp},
    {NULL, NULL},
};

/* These only make classes. */
static const lua_CFunction classes[] = {
    luaopen_tidegate_core_headers,
    luaopen_tidegate_core_multipart,
    luaopen_tidegate_core_request,
    luaopen_tidegate_core_response,
    NULL,
};

int tg_core_open(lua_State *L)
{
    const luaL_Reg *module;
    const lua_CFunction *open;

    for (module = modules; module->name; module++) {
        luaL_requiref(L, module->name, module->func, 0);
        lua_pop(L, 1);
    }
    for (open = classes; *open; open++) {
        lua_pushcfunction(L, *open);
        lua_call(L, 0, 0);
    }
    return 0;
}
