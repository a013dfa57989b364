// SPDX-License-Identifier: MIT
/*
 * tidegate.core.source -- the handler files of the state's bundle.
 *
 *     source.list()       all of them: { name = "a/b.lua", path =
 *                         "handlers/a/b.lua" }
 *     source.text(name)   what is in one
 *     source.load(name)   its chunk; or nil and a message
 */
#include "bind/bind.h"
#include "script/bundle.h"
#include "script/compiled.h"
#include "script/state.h"

static const struct tg_bundle_file *check_file(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct tg_bundle_file *file =
        tg_bundle_find(&tg_state_of(L)->bundle->handlers, name);

    luaL_argcheck(L, file, 1, "no such file");
    return file;
}

static int source_list(lua_State *L)
{
    struct tg_bundle_folder *folder = &tg_state_of(L)->bundle->handlers;
    size_t i;

    lua_createtable(L, (int)folder->count, 0);
    for (i = 0; i < folder->count; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, folder->files[i].name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, folder->files[i].path);
        lua_setfield(L, -2, "path");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int source_text(lua_State *L)
{
    const struct tg_bundle_file *file = check_file(L);

    lua_pushlstring(L, file->text, file->len);
    return 1;
}

static int source_load(lua_State *L)
{
    const struct tg_bundle_file *file = check_file(L);
    const char *chunk = lua_pushfstring(L, "@%s", file->path);

    if (tg_compiled_load(file->compiled, L, file->text, file->len, chunk) ==
        LUA_OK)
        return 1;
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

static const luaL_Reg functions[] = {
    {"list", source_list},
    {"text", source_text},
    {"load", source_load},
    {NULL, NULL},
};

int luaopen_tidegate_core_source(lua_State *L);

int luaopen_tidegate_core_source(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
