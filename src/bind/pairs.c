// SPDX-License-Identifier: MIT
#include "bind/pairs.h"

#include <string.h>

#include "bind/bind.h"
#include "bind/json.h"
#include "http/target.h"

static const char pairs_class[] = "tidegate.pairs";

static const char repeated_key; /* registry: pairs -> name -> list of values */

/* Stack: pairs name value.  A name that repeats gets a list beside it. */
static void add_repeated(lua_State *L, int pairs)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &repeated_key); /* name value all */
    lua_pushvalue(L, pairs);
    if (lua_rawget(L, -2) != LUA_TTABLE) { /* name value all nil */
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, pairs);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    } /* name value all lists */
    lua_pushvalue(L, -4);
    if (lua_rawget(L, -2) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 2, 0);
        tg_json_mark_array(L);
        lua_pushvalue(L, -5);
        lua_rawget(L, pairs);
        lua_rawseti(L, -2, 1);
        lua_pushvalue(L, -5);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    } /* name value all lists list */
    lua_pushvalue(L, -4);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 5);
}

/* pairs(name): every value of that name. */
static int all_values(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &repeated_key);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) == LUA_TTABLE)
            return 1;
    }
    lua_newtable(L);
    tg_json_mark_array(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 1) != LUA_TNIL)
        lua_rawseti(L, -2, 1);
    else
        lua_pop(L, 1);
    return 1;
}

void tg_pairs_push(lua_State *L, int nonempty)
{
    lua_createtable(L, 0, nonempty);
    tg_bind_set_class(L, pairs_class);
}

void tg_pairs_add(lua_State *L, int pairs, int count)
{
    if (count == 1) {
        lua_rawset(L, pairs);
        return;
    }
    lua_pushvalue(L, -2);
    if (lua_rawget(L, pairs) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawset(L, pairs);
    } else {
        lua_pop(L, 1);
        add_repeated(L, pairs);
    }
}

static void push_decoded(lua_State *L, const char *text, size_t len)
{
    luaL_Buffer decoded;
    size_t n;

    if (!memchr(text, '%', len) && !memchr(text, '+', len)) {
        lua_pushlstring(L, text, len);
        return;
    }
    n = tg_query_decode(text, len, luaL_buffinitsize(L, &decoded, len));
    luaL_pushresultsize(&decoded, n);
}

void tg_pairs_add_query(lua_State *L, int pairs, const char *text, size_t len,
                        const char *too_many)
{
    const char *end = text + len;
    struct tg_query_pair pair;
    int count = 0;

    while (tg_query_next(&text, end, &pair)) {
        if (++count > TG_PAIRS_MOST)
            tg_bind_fail(L, 400, too_many);
        push_decoded(L, pair.name, pair.name_len);
        push_decoded(L, pair.value, pair.value_len);
        tg_pairs_add(L, pairs, count);
    }
}

static const luaL_Reg metamethods[] = {
    {"__call", all_values},
    {NULL, NULL},
};

void tg_pairs_open(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};

    tg_bind_class(L, pairs_class, none, metamethods);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &repeated_key);
}
