// SPDX-License-Identifier: MIT
/*
 * Lists in the dicts of tidegate.core.shared.
 *
 *     d:push_last(key, value [, ttl])    its new length
 *     d:push_first(key, value [, ttl])
 *     d:pop_last(key)                    a value, or nil if there is none
 *     d:pop_first(key)
 *     d:length(key)                      0 if there is no list
 */
#include "bind/shared.h"

#include <errno.h>

#include "script/value.h"

static int refuse(lua_State *L, const char *what, const char *key)
{
    return luaL_error(L, "cannot %s '%s': its value is not a list", what, key);
}

static int push(lua_State *L, bool first)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len, length;
    const char *key = tg_dict_check_key(L, &key_len);
    double seconds = tg_dict_check_ttl(L, 4);
    struct tg_dict_number number;
    struct tg_dict_value value = tg_dict_check_value(L, 3, &number);
    int error =
        tg_dict_push(dict, key, key_len, &value, first, seconds, &length);

    tg_value_trim(L);
    if (error == -EINVAL)
        return refuse(L, "push to", key);
    if (error)
        return tg_dict_push_outcome(L, error);
    lua_pushinteger(L, (lua_Integer)length);
    return 1;
}

static int pop(lua_State *L, bool first)
{
    struct tg_dict *dict = tg_dict_check(L);
    char small[1024], *room = small;
    size_t key_len, len = sizeof(small);
    const char *key = tg_dict_check_key(L, &key_len);
    unsigned char type;
    int error = tg_dict_pop(dict, key, key_len, first, room, &len, &type);

    while (error == -ENOSPC) { /* it is still there, or another one is */
        size_t size = len;

        lua_settop(L, 2);
        room = lua_newuserdatauv(L, size, 0);
        error = tg_dict_pop(dict, key, key_len, first, room, &len, &type);
    }
    if (error == -EINVAL)
        return refuse(L, "pop from", key);
    if (!error)
        return tg_dict_push_value(L, type, room, len);
    lua_pushnil(L);
    return 1;
}

static int list_push_first(lua_State *L)
{
    return push(L, true);
}

static int list_push_last(lua_State *L)
{
    return push(L, false);
}

static int list_pop_first(lua_State *L)
{
    return pop(L, true);
}

static int list_pop_last(lua_State *L)
{
    return pop(L, false);
}

static int list_length(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len, length;
    const char *key = tg_dict_check_key(L, &key_len);

    if (tg_dict_length(dict, key, key_len, &length))
        return refuse(L, "measure", key);
    lua_pushinteger(L, (lua_Integer)length);
    return 1;
}

const luaL_Reg tg_dict_list_methods[] = {
    {"push_first", list_push_first}, {"push_last", list_push_last},
    {"pop_first", list_pop_first},   {"pop_last", list_pop_last},
    {"length", list_length},         {NULL, NULL},
};
