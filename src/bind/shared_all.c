// SPDX-License-Identifier: MIT
/*
 * What is done with all values of a dict of tidegate.core.shared.
 *
 *     d:keys([most])      a list, and whether there are more; 1000 by default
 *     d:size()            how many values there are
 *     d:stats()           {hits, misses, evictions, expired, bytes, size,
 * limit} d:flush()           deletes all of them
 */
#include "bind/shared.h"

#include <errno.h>
#include <string.h>

/* Adds keys of a part to the list at 3, from `index` on; returns how many. */
static size_t add_keys(lua_State *L, struct tg_dict *dict, int part,
                       size_t most, lua_Integer index)
{
    char small[4096], *at = small;
    size_t len = sizeof(small), size, count = most, i;

    while (tg_dict_keys(dict, part, &count, at, &len) == -ENOSPC) {
        count = most;
        size = len + len / 8; /* there may be more by then */
        lua_settop(L, 3);
        at = lua_newuserdatauv(L, size, 0);
        len = size;
    }
    for (i = 0; i < count; i++) {
        memcpy(&len, at, sizeof(len));
        lua_pushlstring(L, at + sizeof(len), len);
        lua_rawseti(L, 3, index + (lua_Integer)i);
        at += sizeof(len) + len;
    }
    lua_settop(L, 3);
    return count;
}

static int dict_keys(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    lua_Integer most = luaL_optinteger(L, 2, 1000);
    size_t count = 0;
    int part;

    luaL_argcheck(L, 0 <= most && most < 1000000000, 2, "out of range");
    lua_settop(L, 2);
    lua_newtable(L);
    for (part = 0; part < TG_DICT_PARTS && count <= (size_t)most; part++)
        count += add_keys(L, dict, part, (size_t)most + 1 - count,
                          (lua_Integer)count + 1);
    lua_pushnil(L);
    lua_rawseti(L, 3, most + 1); /* it only shows that there are more */
    lua_pushboolean(L, count > (size_t)most);
    return 2;
}

static int dict_size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tg_dict_size(tg_dict_check(L)));
    return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t count)
{
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

static int dict_stats(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t size = tg_dict_size(dict), limit = tg_dict_limit(dict);
    struct tg_dict_counts counts;

    tg_dict_count(dict, &counts);
    lua_createtable(L, 0, 7);
    set_count(L, "hits", counts.hits);
    set_count(L, "misses", counts.misses);
    set_count(L, "evictions", counts.evictions);
    set_count(L, "expired", counts.expired);
    set_count(L, "bytes", counts.bytes);
    set_count(L, "size", size);
    if (limit)
        set_count(L, "limit", limit);
    return 1;
}

static int dict_flush(lua_State *L)
{
    tg_dict_flush(tg_dict_check(L));
    return 0;
}

const luaL_Reg tg_dict_all_methods[] = {
    {"keys", dict_keys},   {"size", dict_size}, {"stats", dict_stats},
    {"flush", dict_flush}, {NULL, NULL},
};
