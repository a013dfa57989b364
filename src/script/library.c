// SPDX-License-Identifier: MIT
#include "script/library.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/text.h"
#include "script/coroutine.h"
#include "script/finalizer.h"
#include "script/lpeg.h"
#include "script/searcher.h"
#include "script/settings.h"
#include "script/state.h"
#include "script/turn.h"

/* What would end, fork or confuse the process, or reach past the state. */
static const char *const removed[][2] = {
    {"os", "exit"},
    {"os", "setlocale"},
    {"debug", "debug"},
    {"debug", "getregistry"},
    {"debug", "sethook"},
    {"debug", "setmetatable"},
    {"debug", "setuservalue"},
    {"debug", "setcstacklimit"},
    {"debug", "setlocal"},
    {"debug", "getlocal"}, /* these hand out what C code holds for itself */
    {"debug", "getmetatable"},
    {"debug", "getupvalue"},
    {"debug", "getuservalue"},
    {"debug", "setupvalue"},
    {"debug", "upvaluejoin"},
};

/* load() with text only: a binary chunk can crash the interpreter. */
static int load_text(lua_State *L)
{
    lua_settop(L, 4);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushliteral(L, "t");
    lua_replace(L, 4);
    if (lua_isnil(L, 5)) /* no environment was given: that is not nil */
        lua_settop(L, 4);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Without the C functions that run: called by hand they can crash. */
static int get_info(lua_State *L)
{
    if (lua_isnumber(L, 1)) { /* this function is a level, too */
        lua_pushnumber(L, lua_tonumber(L, 1) + 1);
        lua_replace(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    if (lua_istable(L, -1) && lua_getfield(L, -1, "func") == LUA_TFUNCTION &&
        lua_iscfunction(L, -1)) {
        lua_pushnil(L);
        lua_setfield(L, -3, "func");
    }
    lua_settop(L, 1);
    return 1;
}

static const char *check_path(lua_State *L)
{
    size_t len;
    const char *path = luaL_checklstring(L, 1, &len);

    luaL_argcheck(L, strlen(path) == len, 1, "not a path");
    return path;
}

static int load_file_text(lua_State *L)
{
    if (luaL_loadfilex(L, check_path(L), "t") == LUA_OK)
        return 1;
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

static int do_file(lua_State *L)
{
    if (luaL_loadfilex(L, check_path(L), "t") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

/* Of xpcall(), around one in Lua. */
static int handle_message(lua_State *L)
{
    if (tg_turn_is_overdue(tg_state_of(L)->turn))
        return 1;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* A bare function of C, such as debug.traceback, does not. */
static bool may_call_lua(lua_State *L, int function)
{
    if (!lua_iscfunction(L, function))
        return true;
    if (!lua_getupvalue(L, function, 1))
        return false;
    lua_pop(L, 1);
    return true;
}

/* A message handler is asked again when the hook that ends it raises, and no
 * hook is heard in that: so one that never returns must not be asked then. */
static int call_protected(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (may_call_lua(L, 2)) {
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, handle_message, 1);
        lua_replace(L, 2);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

int tg_library_open(lua_State *L)
{
    size_t i;

    luaL_openlibs(L);
    tg_lpeg_find();
    tg_lpeg_open(L);
    tg_searcher_open(L);
    for (i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        lua_getglobal(L, removed[i][0]);
        lua_pushnil(L);
        lua_setfield(L, -2, removed[i][1]);
        lua_pop(L, 1);
    }
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "getinfo");
    lua_pushcclosure(L, get_info, 1);
    lua_setfield(L, -2, "getinfo");
    lua_pop(L, 1);
    lua_getglobal(L, "load");
    lua_pushcclosure(L, load_text, 1);
    lua_setglobal(L, "load");
    lua_getglobal(L, "xpcall");
    lua_pushcclosure(L, call_protected, 1);
    lua_setglobal(L, "xpcall");
    lua_pushcfunction(L, load_file_text);
    lua_setglobal(L, "loadfile");
    lua_pushcfunction(L, do_file);
    lua_setglobal(L, "dofile");
    tg_coroutine_open(L);
    tg_settings_open(L);
    tg_finalizer_open(L);
    return 0;
}

void tg_library_versions(struct tg_text *out)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "lpeg");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "version");
    if (lua_isfunction(L, -1)) /* a string from LPeg 1.1 on */
        lua_call(L, 0, 1);
    tg_text_addf(out, "%s\nLPeg %s\n", LUA_RELEASE, lua_tostring(L, -1));
    lua_close(L);
}
