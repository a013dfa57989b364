// SPDX-License-Identifier: MIT
#include "script/library.h"

#include <dlfcn.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/text.h"
#include "script/bundle.h"
#include "script/coroutine.h"
#include "script/module.h"
#include "script/state.h"

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

static int load_file_text(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    if (luaL_loadfilex(L, path, "t") == LUA_OK)
        return 1;
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

static int do_file(lua_State *L)
{
    if (luaL_loadfilex(L, luaL_checkstring(L, 1), "t") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

static int search_ours(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (tg_module_load(L, name))
        return 1;
    if (!lua_isnil(L, -1))
        return lua_error(L);
    if (strncmp(name, "tidegate.", 9) == 0)
        lua_pushfstring(L, "tidegate has no module '%s'", name);
    return 1;
}

#define LOADING "tidegate.loading" /* registry: names being loaded -> true */
#define MARKER "tidegate.loading.marker"

static void mark_loading(lua_State *L, const char *name, int is_loading)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LOADING);
    lua_pushboolean(L, is_loading);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* A module that requires itself would do so until C's stack is used up. */
static void check_cycle(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LOADING);
    lua_getfield(L, -1, name);
    if (lua_toboolean(L, -1)) {
        luaL_where(L, 2); /* the code that calls require() */
        lua_pushfstring(L,
                        "%smodule '%s' requires itself, through what it "
                        "requires",
                        lua_tostring(L, -1), name);
        lua_error(L);
    }
    lua_pop(L, 2);
}

/* __close of a marker: however loading ends, it has ended. */
static int end_loading(lua_State *L)
{
    lua_rawgeti(L, 1, 1);
    mark_loading(L, lua_tostring(L, -1), 0);
    return 0;
}

/* The loader of a module; upvalue 1 is its chunk. */
static int load_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 2);
    lua_createtable(L, 1, 0); /* name path marker */
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    if (luaL_newmetatable(L, MARKER)) {
        lua_pushcfunction(L, end_loading);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    mark_loading(L, name, 1);
    lua_toclose(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

/* lua/a/b.lua or lua/a/b/init.lua of the bundle, for "a.b". */
static int search_bundle(lua_State *L)
{
    static const char *const forms[] = {"%s.lua", "%s/init.lua"};
    const char *name = luaL_gsub(L, luaL_checkstring(L, 1), ".", "/");
    struct tg_bundle *bundle = tg_state_of(L)->bundle;
    int i;

    for (i = 0; bundle && i < 2; i++) {
        const char *wanted = lua_pushfstring(L, forms[i], name);
        const struct tg_bundle_file *file =
            tg_bundle_find(&bundle->modules, wanted);

        if (!file)
            continue;
        check_cycle(L, luaL_checkstring(L, 1));
        lua_pushfstring(L, "@%s", file->path);
        if (luaL_loadbufferx(L, file->text, file->len, lua_tostring(L, -1),
                             "t") != LUA_OK)
            return lua_error(L);
        lua_pushcclosure(L, load_module, 1);
        lua_pushstring(L, file->path);
        return 2;
    }
    lua_pushfstring(L, "no file 'lua/%s.lua' in the project", name);
    return 1;
}

/* Keeps preload and the system's Lua modules; C modules are loaded by us only
 * (LPeg), since one that blocks or crashes would do so for all. */
static void replace_searchers(lua_State *L)
{
    lua_getglobal(L, "package");      /* package */
    lua_getfield(L, -1, "searchers"); /* package old */
    lua_createtable(L, 4, 0);         /* package old new */
    lua_rawgeti(L, -2, 1);            /* preload */
    lua_rawseti(L, -2, 1);
    lua_pushcfunction(L, search_ours);
    lua_rawseti(L, -2, 2);
    lua_pushcfunction(L, search_bundle);
    lua_rawseti(L, -2, 3);
    lua_rawgeti(L, -2, 2); /* the system's Lua modules */
    lua_rawseti(L, -2, 4);
    lua_setfield(L, -3, "searchers"); /* package old */
    lua_pop(L, 1);
    lua_pushliteral(L, "/usr/local/share/lua/5.4/?.lua;"
                       "/usr/local/share/lua/5.4/?/init.lua;"
                       "/usr/share/lua/5.4/?.lua;"
                       "/usr/share/lua/5.4/?/init.lua");
    lua_setfield(L, -2, "path");
    lua_pushnil(L);
    lua_setfield(L, -2, "loadlib");
    lua_pop(L, 1);
}

static void require_quietly(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

int tg_library_open(lua_State *L)
{
    size_t i;

    luaL_openlibs(L);
    require_quietly(L, "lpeg");
    require_quietly(L, "re");
    replace_searchers(L);
    for (i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        lua_getglobal(L, removed[i][0]);
        lua_pushnil(L);
        lua_setfield(L, -2, removed[i][1]);
        lua_pop(L, 1);
    }
    lua_getglobal(L, "load");
    lua_pushcclosure(L, load_text, 1);
    lua_setglobal(L, "load");
    lua_pushcfunction(L, load_file_text);
    lua_setglobal(L, "loadfile");
    lua_pushcfunction(L, do_file);
    lua_setglobal(L, "dofile");
    tg_coroutine_open(L);
    return 0;
}

/* Closing the last state would unload LPeg, and the next load it again. */
void tg_library_setup(void)
{
    lua_State *L = luaL_newstate();
    const char *path;

    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushliteral(L, "lpeg");
    lua_getfield(L, -3, "cpath");
    lua_call(L, 2, 1);
    path = lua_tostring(L, -1);
    if (path)
        dlopen(path, RTLD_NOW | RTLD_NODELETE);
    lua_close(L);
}

static int refuse_global(lua_State *L)
{
    return luaL_error(L, "cannot write global '%s' here: make it local",
                      luaL_tolstring(L, 2, NULL));
}

static int next_global(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

static int all_globals(lua_State *L)
{
    lua_pushcfunction(L, next_global);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushnil(L);
    return 3;
}

/* _G becomes an empty table that reads what it held: so even a global that
 * exists cannot be written. */
int tg_library_lock(lua_State *L)
{
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

void tg_library_versions(struct tg_text *out)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    require_quietly(L, "lpeg");
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "lpeg");
    lua_getfield(L, -1, "version");
    if (lua_isfunction(L, -1)) /* a string from LPeg 1.1 on */
        lua_call(L, 0, 1);
    tg_text_addf(out, "%s\nLPeg %s\n", LUA_RELEASE, lua_tostring(L, -1));
    lua_close(L);
}
