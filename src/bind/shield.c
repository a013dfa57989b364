// SPDX-License-Identifier: MIT
#include "bind/shield.h"

#include "bind/app.h"
#include "bind/bind.h"
#include "bind/call.h"
#include "script/state.h"

#define SHIELD "tidegate.shield"

static int shield_close(lua_State *L)
{
    tg_call_unshield(tg_state_of(L)->host);
    return 0;
}

static int shielded(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - 1;
}

int tg_request_shield(lua_State *L)
{
    struct tg_exchange *x = tg_bind_exchange(L, 1, tg_request_class);

    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (tg_app_exchange(tg_state_of(L)->host) != x)
        return luaL_error(L, "this request is another task's");
    lua_newuserdatauv(L, 0, 0);
    luaL_setmetatable(L, SHIELD);
    lua_replace(L, 1); /* shield fn ... */
    tg_call_shield(tg_state_of(L)->host);
    lua_toclose(L, 1);
    lua_callk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, shielded);
    return shielded(L, LUA_OK, 0);
}

void tg_shield_open(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__close", shield_close},
                                           {NULL, NULL}};

    tg_bind_class(L, SHIELD, none, metamethods);
}
