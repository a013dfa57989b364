// SPDX-License-Identifier: MIT
/*
 * tidegate.core.shared -- dicts that all threads and generations share.
 *
 *     shared.open(name)                  a dict: the same for the same name
 *     d:get(key)                         the value, or nil if there is none
 *     d:set(key, value [, ttl])          a nil value deletes
 *     d:add(key, value [, ttl])          true, or nil, "exists"
 *     d:replace(key, value [, ttl])      true, or nil, "not found"
 *     d:incr(key [, by [, initial [, ttl]]])
 *                                        the new number
 *     d:delete(key)                      true, or false if there was none
 *     d:size()                           how many values there are
 *     d:flush()                          deletes all of them
 *
 * Values are booleans, numbers, strings, json.null and tables; all are copied.
 */
#include "shared/dict.h"

#include <errno.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/bind.h"
#include "script/value.h"

#define DICT "tidegate.dict"

/* Types of values in a dict, besides its numbers. */
enum { STRING = TG_DICT_OPAQUE, PACKED };

typedef int store_fn(struct tg_dict *dict, const char *key, size_t key_len,
                     const struct tg_dict_value *value, double seconds);

static struct tg_dict *check_dict(lua_State *L)
{
    struct tg_dict **box = luaL_checkudata(L, 1, DICT);

    luaL_argcheck(L, *box, 1, "dict is closed");
    return *box;
}

/* A number becomes what tostring makes of it, in its place on the stack. */
static const char *check_key(lua_State *L, size_t *len)
{
    return luaL_checklstring(L, 2, len);
}

/* Absent is for ever, and so is what the dict calls 0. */
static double check_ttl(lua_State *L, int index)
{
    lua_Number seconds;

    if (lua_isnoneornil(L, index))
        return 0;
    seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds > 0, index, "a time to live is more than 0");
    return seconds;
}

static struct tg_dict_number check_number(lua_State *L, int index,
                                          lua_Integer otherwise)
{
    struct tg_dict_number number = {.type = TG_DICT_INTEGER,
                                    .integer = otherwise};

    if (lua_isnoneornil(L, index))
        return number;
    luaL_checktype(L, index, LUA_TNUMBER);
    if (lua_isinteger(L, index)) {
        number.integer = lua_tointeger(L, index);
    } else {
        number.type = TG_DICT_FLOAT;
        number.real = lua_tonumber(L, index);
    }
    return number;
}

static void push_number(lua_State *L, const struct tg_dict_number *number)
{
    if (number->type == TG_DICT_FLOAT)
        lua_pushnumber(L, number->real);
    else
        lua_pushinteger(L, number->integer);
}

/* The value at 3 as the dict wants it; `number` is room for it. */
static struct tg_dict_value check_value(lua_State *L,
                                        struct tg_dict_number *number)
{
    struct tg_dict_value value = {.type = PACKED};

    switch (lua_type(L, 3)) {
    case LUA_TNUMBER:
        *number = check_number(L, 3, 0);
        value.type = number->type;
        value.data = &number->integer;
        value.len = sizeof(number->integer);
        break;
    case LUA_TSTRING:
        value.type = STRING;
        value.data = lua_tolstring(L, 3, &value.len);
        break;
    default:
        value.data = tg_value_pack(L, 3, &value.len);
    }
    return value;
}

static int shared_open(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    struct tg_dict **box;

    luaL_argcheck(L, strlen(name) == len, 1, "a name has no zero bytes");
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    *box = NULL; /* whole before it has a __gc */
    luaL_setmetatable(L, DICT);
    *box = tg_dict_open(name);
    return 1;
}

static int dict_gc(lua_State *L)
{
    struct tg_dict **box = luaL_checkudata(L, 1, DICT);

    if (*box)
        tg_dict_unref(*box);
    *box = NULL;
    return 0;
}

/* Whoever opened it: two objects are equal if they are one dict. */
static int dict_eq(lua_State *L)
{
    struct tg_dict **a = luaL_testudata(L, 1, DICT);
    struct tg_dict **b = luaL_testudata(L, 2, DICT);

    lua_pushboolean(L, a && b && *a == *b);
    return 1;
}

static int push_value(lua_State *L, unsigned char type, const char *data,
                      size_t len)
{
    struct tg_dict_number number = {.type = type};

    if (type == STRING) {
        lua_pushlstring(L, data, len);
    } else if (type == PACKED) {
        if (!tg_value_push(L, data, len))
            return luaL_error(L, "the value is damaged");
    } else {
        memcpy(&number.integer, data, sizeof(number.integer));
        push_number(L, &number);
    }
    return 1;
}

static int dict_get(lua_State *L)
{
    struct tg_dict *dict = check_dict(L);
    char small[1024], *room = small;
    size_t key_len, len = sizeof(small);
    const char *key = check_key(L, &key_len);
    unsigned char type;
    int error = tg_dict_get(dict, key, key_len, room, &len, &type);

    while (error == -ENOSPC) {
        size_t size = len;

        lua_settop(L, 2);
        room = lua_newuserdatauv(L, size, 0); /* Lua's: no error can leak it */
        error = tg_dict_get(dict, key, key_len, room, &len, &type);
    }
    if (!error)
        return push_value(L, type, room, len);
    lua_pushnil(L);
    return 1;
}

/* Returns what `fn` does. */
static int store(lua_State *L, store_fn *fn)
{
    struct tg_dict *dict = check_dict(L);
    size_t key_len;
    const char *key = check_key(L, &key_len);
    double seconds = check_ttl(L, 4);
    struct tg_dict_number number;
    struct tg_dict_value value;
    int error;

    luaL_argcheck(L, !lua_isnoneornil(L, 3), 3, "value expected");
    value = check_value(L, &number);
    error = fn(dict, key, key_len, &value, seconds);
    tg_value_trim(L);
    return error;
}

static int push_outcome(lua_State *L, int error, const char *message)
{
    if (!error) {
        lua_pushboolean(L, 1);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, message);
    return 2;
}

static int dict_add(lua_State *L)
{
    return push_outcome(L, store(L, tg_dict_add), "exists");
}

static int dict_replace(lua_State *L)
{
    return push_outcome(L, store(L, tg_dict_replace), "not found");
}

static int dict_set(lua_State *L)
{
    struct tg_dict *dict = check_dict(L);
    size_t key_len;
    const char *key = check_key(L, &key_len);

    luaL_checkany(L, 3);
    check_ttl(L, 4);
    if (lua_isnil(L, 3))
        tg_dict_delete(dict, key, key_len);
    else
        store(L, tg_dict_set);
    return 0;
}

static int dict_incr(lua_State *L)
{
    struct tg_dict *dict = check_dict(L);
    size_t key_len;
    const char *key = check_key(L, &key_len);
    struct tg_dict_number delta = check_number(L, 3, 1);
    struct tg_dict_number initial = check_number(L, 4, 0), sum;
    double seconds = check_ttl(L, 5);
    int error =
        tg_dict_incr(dict, key, key_len, &delta, &initial, seconds, &sum);

    if (error)
        return luaL_error(L, "cannot add to '%s': %s", key,
                          error == -ERANGE ? "the integer would overflow"
                                           : "its value is not a number");
    push_number(L, &sum);
    return 1;
}

static int dict_delete(lua_State *L)
{
    struct tg_dict *dict = check_dict(L);
    size_t key_len;
    const char *key = check_key(L, &key_len);

    lua_pushboolean(L, tg_dict_delete(dict, key, key_len) == 0);
    return 1;
}

static int dict_size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tg_dict_size(check_dict(L)));
    return 1;
}

static int dict_flush(lua_State *L)
{
    tg_dict_flush(check_dict(L));
    return 0;
}

static const luaL_Reg methods[] = {
    {"get", dict_get},         {"set", dict_set},     {"add", dict_add},
    {"replace", dict_replace}, {"incr", dict_incr},   {"delete", dict_delete},
    {"size", dict_size},       {"flush", dict_flush}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", dict_gc},
    {"__eq", dict_eq},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", shared_open},
    {NULL, NULL},
};

/* json.null is what the JSON codec says, if this state has it. */
static void learn_null(lua_State *L)
{
    const void *null = NULL;

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "tidegate.core.json") == LUA_TTABLE) {
        lua_getfield(L, -1, "null");
        null = lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    tg_value_set_null(L, null);
}

int luaopen_tidegate_core_shared(lua_State *L);

int luaopen_tidegate_core_shared(lua_State *L)
{
    tg_bind_class(L, DICT, methods, metamethods);
    learn_null(L);
    luaL_newlib(L, functions);
    return 1;
}
