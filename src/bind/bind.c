// SPDX-License-Identifier: MIT
#include "bind/bind.h"

#include <string.h>

#include "bind/app.h"
#include "http/exchange.h"
#include "script/bundle.h"
#include "script/state.h"

/* By address, which is found quickest as an integer. */
static lua_Integer key_of(const char *name)
{
    return (lua_Integer)(intptr_t)name;
}

void tg_bind_class(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods)
{
    luaL_newmetatable(L, name);         /* mt */
    lua_newtable(L);                    /* mt methods */
    luaL_setfuncs(L, methods, 0);       /* mt methods */
    lua_setfield(L, -2, "__index");     /* mt */
    luaL_setfuncs(L, metamethods, 0);   /* mt */
    lua_pushboolean(L, 0);              /* mt false */
    lua_setfield(L, -2, "__metatable"); /* mt */
    lua_rawseti(L, LUA_REGISTRYINDEX, key_of(name));
}

void tg_bind_set_class(lua_State *L, const char *name)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, key_of(name));
    lua_setmetatable(L, -2);
}

struct tg_loop *tg_bind_loop(lua_State *L)
{
    struct tg_app *app = tg_state_of(L)->host;

    if (!app->loop)
        luaL_error(L, "cannot do this while handlers are loading; "
                      "use tidegate.on_start");
    return app->loop;
}

int tg_bind_fail(lua_State *L, int status, const char *message)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.failure");
    lua_getfield(L, -1, "raise");
    lua_pushinteger(L, status);
    lua_pushstring(L, message);
    lua_call(L, 2, 0);
    return luaL_error(L, "%s", message); /* not reached */
}

static void refuse_option(lua_State *L, const char *what,
                          const char *const *names)
{
    const char *key = luaL_tolstring(L, -2, NULL);
    int i;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.suggest");
    lua_getfield(L, -1, "hint");
    lua_pushstring(L, key);
    lua_newtable(L);
    for (i = 0; names[i]; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 2, 1);
    luaL_error(L, "unknown option '%s' of %s%s", key, what,
               lua_tostring(L, -1));
}

void tg_bind_options(lua_State *L, int index, const char *what,
                     const char *const *names)
{
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        const char *key =
            lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        int i = 0;

        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            refuse_option(L, what, names);
        lua_pop(L, 1);
    }
}

double tg_bind_seconds(lua_State *L, int index)
{
    lua_Number seconds = luaL_checknumber(L, index);

    luaL_argcheck(L, 0 <= seconds && seconds <= 1e9, index, "out of range");
    return seconds;
}

int tg_bind_timeout(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "timed out");
    lua_pushliteral(L, "timeout");
    return 3;
}

void tg_bind_push_failure(lua_State *L, const char *maker)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.failure");
    lua_getfield(L, -1, maker);
    lua_call(L, 0, 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

const char *tg_bind_path(lua_State *L, int index)
{
    size_t len;
    const char *path = luaL_checklstring(L, index, &len);

    luaL_argcheck(L, len && strlen(path) == len, index, "not a path");
    if (*path == '/')
        return lua_pushstring(L, path);
    return lua_pushfstring(L, "%s/%s", tg_state_of(L)->bundle->root, path);
}

int tg_bind_errno(lua_State *L, const char *path, int error)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(-error));
    lua_pushstring(L, strerrorname_np(-error));
    return 3;
}

void *tg_bind_push(lua_State *L, const char *class, struct tg_exchange *x,
                   size_t size, int nuservalues)
{
    struct tg_handle *handle = lua_newuserdatauv(L, size, nuservalues);

    handle->class = class;
    handle->x = x;
    handle->serial = tg_exchange_serial(x);
    tg_bind_set_class(L, class);
    return handle;
}

struct tg_exchange *tg_bind_exchange(lua_State *L, int index, const char *class)
{
    struct tg_handle *handle = lua_touserdata(L, index);

    if (!handle || lua_rawlen(L, index) < sizeof(*handle) ||
        handle->class != class)           /* a light userdata has no length */
        luaL_checkudata(L, index, class); /* raises */

    if (tg_state_of(L)->closing || /* on another thread than the exchange */
        !tg_exchange_is(handle->x, handle->serial) ||
        tg_exchange_stage(handle->x) == TG_RESPONSE_FINISHED)
        luaL_error(L, "the exchange is over");
    return handle->x;
}
