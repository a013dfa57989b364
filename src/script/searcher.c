// SPDX-License-Identifier: MIT
#include "script/searcher.h"

#include <string.h>

#include <lauxlib.h>

#include "script/bundle.h"
#include "script/compiled.h"
#include "script/missing.h"
#include "script/module.h"
#include "script/state.h"

static int search_ours(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (tg_module_load(L, name))
        return 1;
    if (!lua_isnil(L, -1))
        return lua_error(L);
    return 1; /* nil */
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
        if (tg_compiled_load(file->compiled, L, file->text, file->len,
                             lua_tostring(L, -1)) != LUA_OK)
            return lua_error(L);
        lua_pushcclosure(L, load_module, 1);
        lua_pushstring(L, file->path);
        return 2;
    }
    return 0;
}

/* require() and its searchers read a name up to its first zero byte: "m\0x"
 * would be m, even one that is loaded.  Upvalue 1 is require's own. */
static int require_text(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);

    if (strlen(name) != len)
        return tg_missing_raise(L);
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
}

static void guard_require(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_getupvalue(L, -1, 1);
    lua_insert(L, -2);
    lua_pushcclosure(L, require_text, 2);
    lua_setglobal(L, "require");
}

/* Keeps preload and the system's Lua modules; C modules are loaded by us only
 * (LPeg), since one that blocks or crashes would do so for all. */
void tg_searcher_open(lua_State *L)
{
    lua_getglobal(L, "package");      /* package */
    lua_getfield(L, -1, "searchers"); /* package old */
    lua_createtable(L, 5, 0);         /* package old new */
    lua_rawgeti(L, -2, 1);            /* preload */
    lua_rawseti(L, -2, 1);
    lua_pushcfunction(L, search_ours);
    lua_rawseti(L, -2, 2);
    lua_pushcfunction(L, search_bundle);
    lua_rawseti(L, -2, 3);
    lua_rawgeti(L, -2, 2); /* the system's Lua modules */
    lua_rawseti(L, -2, 4);
    lua_pushcfunction(L, tg_missing_search);
    lua_rawseti(L, -2, 5);
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
    guard_require(L);
}
