// SPDX-License-Identifier: MIT
#include "script/missing.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#include "script/bundle.h"
#include "script/state.h"

/* Of the caller of require(), wherever pcall() stands between: "x.lua:2: ". */
static void push_where(lua_State *L)
{
    lua_Debug at;
    int level;

    for (level = 1; lua_getstack(L, level, &at); level++) {
        luaL_where(L, level);
        if (*lua_tostring(L, -1))
            return;
        lua_pop(L, 1);
    }
    lua_pushliteral(L, "");
}

/* That of the project's modules, as errors show it: "lua/". */
static void push_folder(lua_State *L, const struct tg_bundle *bundle)
{
    const struct tg_bundle_file *file;
    size_t len;

    if (!bundle || !bundle->handlers.count) {
        lua_pushnil(L);
        return;
    }
    file = bundle->handlers.files;
    len = strlen(file->path) - strlen(file->name);
    while (len && file->path[len - 1] == '/')
        len--;
    while (len && file->path[len - 1] != '/')
        len--;
    lua_pushlstring(L, file->path, len);
    lua_pushliteral(L, "lua/");
    lua_concat(L, 2);
}

/* Adds the string on top to the list below it; pops it. */
static void add_name(lua_State *L)
{
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* "a/b.lua" and "a/b/init.lua" are "a.b". */
static void add_file(lua_State *L, const char *file)
{
    size_t len = strlen(file) - strlen(".lua");

    if (len > 5 && strncmp(file + len - 5, "/init", 5) == 0)
        len -= 5;
    lua_pushlstring(L, file, len);
    luaL_gsub(L, lua_tostring(L, -1), "/", ".");
    lua_replace(L, -2);
    add_name(L);
}

/* The modules of the project. */
static void push_names(lua_State *L, const struct tg_bundle *bundle)
{
    size_t i;

    lua_newtable(L);
    for (i = 0; bundle && i < bundle->modules.count; i++)
        add_file(L, bundle->modules.files[i].name);
}

/* A project may have put searchers of its own behind this one. */
static bool is_last(lua_State *L)
{
    bool last;

    lua_getglobal(L, "package");
    if (lua_getfield(L, -1, "searchers") != LUA_TTABLE)
        return true; /* require() has complained of that */
    lua_rawgeti(L, -1, (lua_Integer)lua_rawlen(L, -1));
    last = lua_tocfunction(L, -1) == tg_missing_search;
    lua_pop(L, 3);
    return last;
}

static void push_sentence(lua_State *L)
{
    const struct tg_bundle *bundle = tg_state_of(L)->bundle;

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidegate.missing");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "sentence");
    lua_remove(L, -2);
    lua_pushvalue(L, 1);
    push_folder(L, bundle);
    push_names(L, bundle);
    lua_call(L, 3, 1);
}

int tg_missing_raise(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    push_where(L);
    push_sentence(L);
    lua_concat(L, 2);
    return lua_error(L);
}

int tg_missing_search(lua_State *L)
{
    luaL_checkstring(L, 1);
    if (is_last(L))
        return tg_missing_raise(L);
    push_sentence(L);
    return 1;
}
