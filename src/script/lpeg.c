// SPDX-License-Identifier: MIT
#include "script/lpeg.h"

#include <dlfcn.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/text.h"
#include "script/compiled.h"

enum { RE_MOST = 1024 * 1024 };

static lua_CFunction open_lpeg; /* NULL: not found yet */

static struct {
    struct tg_text path, text;
    struct tg_compiled compiled;
} re;

/* Pushes where package[field] has `name`; NULL if nowhere. */
static const char *search(lua_State *L, const char *name, const char *field)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchpath");
    lua_pushstring(L, name);
    lua_getfield(L, -3, field);
    lua_call(L, 2, 1);
    return lua_tostring(L, -1);
}

static void find_lpeg(lua_State *L)
{
    const char *path = search(L, "lpeg", "cpath");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_NODELETE) : NULL;
    void *symbol = library ? dlsym(library, "luaopen_lpeg") : NULL;

    memcpy(&open_lpeg, &symbol, sizeof(symbol)); /* as POSIX has it */
}

static void find_re(lua_State *L)
{
    const char *path = search(L, "re", "path");

    if (path && tg_text_add_file(&re.text, path, RE_MOST))
        tg_text_addf(&re.path, "@%s", path);
}

void tg_lpeg_find(void)
{
    lua_State *L;

    if (open_lpeg)
        return;
    L = luaL_newstate();
    luaL_requiref(L, LUA_LOADLIBNAME, luaopen_package, 1);
    find_lpeg(L);
    find_re(L);
    lua_close(L);
}

/* In package.preload: called with the name. */
static int load_re(lua_State *L)
{
    if (tg_compiled_load(&re.compiled, L, re.text.data, re.text.len,
                         re.path.data) != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

void tg_lpeg_open(lua_State *L)
{
    if (!open_lpeg)
        luaL_error(L, "LPeg, a library of Lua, is not where Lua looks for it");
    luaL_requiref(L, "lpeg", open_lpeg, 0);
    lua_pop(L, 1);
    if (!re.path.len)
        return;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, load_re);
    lua_setfield(L, -2, "re");
    lua_pop(L, 1);
}
