// SPDX-License-Identifier: MIT
/*
 * tidegate.core.shared -- dicts that all threads and generations share.
 *
 *     shared.open(name [, options])      a dict: the same for the same name
 *     d:get(key)                         the value, or nil if there is none
 *     d:read(key)                        the same, and its version, or 0
 *     d:set(key, value [, ttl])          a nil value deletes
 *     d:add(key, value [, ttl])          or nil, "exists"
 *     d:replace(key, value [, ttl])      or nil, "not found"
 *     d:swap(key, value, version [, ttl])
 *                                        the new version, or nil, "changed"
 *     d:incr(key [, by [, initial [, ttl]]])
 *                                        the new number
 *     d:delete(key)                      true, or false if there was none
 *     d:touch(key [, ttl])               true, or false if there is none
 *     d:ttl(key)                         seconds left, or nil
 *
 * Those that store return true, or nil, message, code.  What is done with
 * all values is in shared_all.c, lists are in shared_list.c.
 *
 * Values are booleans, numbers, strings, json.null and tables; all are copied.
 */
#include "bind/shared.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bind/bind.h"
#include "script/value.h"

/* Types of values in a dict, besides its own. */
enum { STRING = TG_DICT_OPAQUE, PACKED };

typedef int store_fn(struct tg_dict *dict, const char *key, size_t key_len,
                     const struct tg_dict_value *value, double seconds);

struct tg_dict *tg_dict_check(lua_State *L)
{
    struct tg_dict **box = luaL_checkudata(L, 1, TG_DICT);

    luaL_argcheck(L, *box, 1, "dict is closed");
    return *box;
}

/* A number becomes what tostring makes of it, in its place on the stack. */
const char *tg_dict_check_key(lua_State *L, size_t *len)
{
    return luaL_checklstring(L, 2, len);
}

/* Absent is for ever, and so is what the dict calls 0. */
double tg_dict_check_ttl(lua_State *L, int index)
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

struct tg_dict_value tg_dict_check_value(lua_State *L, int index,
                                         struct tg_dict_number *number)
{
    struct tg_dict_value value = {.type = PACKED};

    luaL_argcheck(L, !lua_isnoneornil(L, index), index, "value expected");
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        *number = check_number(L, index, 0);
        value.type = number->type;
        value.data = &number->integer;
        value.len = sizeof(number->integer);
        break;
    case LUA_TSTRING:
        value.type = STRING;
        value.data = lua_tolstring(L, index, &value.len);
        break;
    default:
        value.data = tg_value_pack(L, index, &value.len);
    }
    return value;
}

/* An option that is a number of bytes. */
static size_t check_bytes(lua_State *L, const char *name)
{
    lua_Integer bytes;
    int is_integer;

    lua_getfield(L, 2, name);
    if (lua_isnil(L, -1))
        return 0;
    bytes = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || bytes < 4096)
        luaL_error(L, "option '%s' is a number of bytes, 4096 at least", name);
    return (size_t)bytes;
}

static void check_options(lua_State *L, struct tg_dict_options *options)
{
    static const char *const names[] = {"limit", "file", "sync", NULL};

    *options = (struct tg_dict_options){0};
    tg_bind_options(L, 2, "open", names);
    if (lua_isnoneornil(L, 2))
        return;
    options->limit = check_bytes(L, "limit");
    if (lua_getfield(L, 2, "file") != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING || *lua_tostring(L, -1) == '\0')
            luaL_error(L, "option 'file' is a path");
        options->file = tg_bind_path(L, lua_gettop(L));
    }
    if (lua_getfield(L, 2, "sync") == LUA_TNIL)
        return;
    options->sync = lua_tonumber(L, -1);
    if (!options->file || !(options->sync >= 0.01 && options->sync <= 86400))
        luaL_error(L, "option 'sync' is the seconds between two writes of "
                      "'file', from 0.01 to 86400");
}

static int shared_open(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    struct tg_dict_options options;
    struct tg_dict **box;
    char message[512];

    luaL_argcheck(L, strlen(name) == len, 1, "a name has no zero bytes");
    check_options(L, &options);
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    *box = NULL; /* whole before it has a __gc */
    luaL_setmetatable(L, TG_DICT);
    *box = tg_dict_open(name);
    if (!tg_dict_configure(*box, &options, message, sizeof(message)))
        return luaL_error(L, "%s", message);
    return 1;
}

static int dict_gc(lua_State *L)
{
    struct tg_dict **box = luaL_checkudata(L, 1, TG_DICT);

    if (*box)
        tg_dict_unref(*box);
    *box = NULL;
    return 0;
}

/* Whoever opened it: two objects are equal if they are one dict. */
static int dict_eq(lua_State *L)
{
    struct tg_dict **a = luaL_testudata(L, 1, TG_DICT);
    struct tg_dict **b = luaL_testudata(L, 2, TG_DICT);

    lua_pushboolean(L, a && b && *a == *b);
    return 1;
}

int tg_dict_push_value(lua_State *L, unsigned char type, const char *data,
                       size_t len)
{
    struct tg_dict_number number = {.type = type};

    if (type == STRING) {
        lua_pushlstring(L, data, len);
    } else if (type == PACKED) {
        if (!tg_value_push(L, data, len))
            return luaL_error(L, "the value is damaged");
    } else if (type > PACKED || len != sizeof(number.integer)) {
        return luaL_error(L, "the value is damaged");
    } else {
        memcpy(&number.integer, data, sizeof(number.integer));
        push_number(L, &number);
    }
    return 1;
}

/* Pushes the value, or nil; tells its version, or 0. */
static void get(lua_State *L, uint64_t *version)
{
    struct tg_dict *dict = tg_dict_check(L);
    char small[1024], *room = small;
    size_t key_len, len = sizeof(small);
    const char *key = tg_dict_check_key(L, &key_len);
    unsigned char type;
    int error = tg_dict_get(dict, key, key_len, room, &len, &type, version);

    while (error == -ENOSPC) {
        size_t size = len;

        lua_settop(L, 2);
        room = lua_newuserdatauv(L, size, 0); /* Lua's: no error can leak it */
        error = tg_dict_get(dict, key, key_len, room, &len, &type, version);
    }
    if (error == -EINVAL)
        luaL_error(L, "cannot get '%s': its value is a list", key);
    if (!error) {
        tg_dict_push_value(L, type, room, len);
    } else {
        *version = 0;
        lua_pushnil(L);
    }
}

static int dict_get(lua_State *L)
{
    uint64_t version;

    get(L, &version);
    return 1;
}

static int dict_read(lua_State *L)
{
    uint64_t version;

    get(L, &version);
    lua_pushinteger(L, (lua_Integer)version);
    return 2;
}

/* What a write gave: true, or nil, message, code. */
int tg_dict_push_outcome(lua_State *L, int error)
{
    static const struct {
        int error;
        const char *message, *code;
    } outcomes[] = {
        {-EEXIST, "exists", "exists"},
        {-ENOENT, "not found", "not_found"},
        {-EAGAIN, "changed", "changed"},
        {-EFBIG, "larger than the dictionary's limit", "too_large"},
    };
    size_t i;

    for (i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
        if (outcomes[i].error == error) {
            luaL_pushfail(L);
            lua_pushstring(L, outcomes[i].message);
            lua_pushstring(L, outcomes[i].code);
            return 3;
        }
    lua_pushboolean(L, 1);
    return 1;
}

/* Returns what `fn` does. */
static int store(lua_State *L, store_fn *fn)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);
    double seconds = tg_dict_check_ttl(L, 4);
    struct tg_dict_number number;
    struct tg_dict_value value = tg_dict_check_value(L, 3, &number);
    int error = fn(dict, key, key_len, &value, seconds);

    tg_value_trim(L);
    return error;
}

static int dict_add(lua_State *L)
{
    return tg_dict_push_outcome(L, store(L, tg_dict_add));
}

static int dict_replace(lua_State *L)
{
    return tg_dict_push_outcome(L, store(L, tg_dict_replace));
}

static int dict_set(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);

    luaL_checkany(L, 3);
    tg_dict_check_ttl(L, 4);
    if (!lua_isnil(L, 3))
        return tg_dict_push_outcome(L, store(L, tg_dict_set));
    tg_dict_delete(dict, key, key_len);
    return tg_dict_push_outcome(L, 0);
}

static int dict_swap(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);
    uint64_t version = (uint64_t)luaL_checkinteger(L, 4);
    double seconds =
        lua_isnoneornil(L, 5) ? TG_DICT_KEEP : tg_dict_check_ttl(L, 5);
    struct tg_dict_number number;
    struct tg_dict_value value;
    int error;

    if (lua_isnil(L, 3)) {
        error = tg_dict_swap(dict, key, key_len, NULL, 0, &version);
    } else {
        value = tg_dict_check_value(L, 3, &number);
        error = tg_dict_swap(dict, key, key_len, &value, seconds, &version);
        tg_value_trim(L);
    }
    if (error)
        return tg_dict_push_outcome(L, error);
    lua_pushinteger(L, (lua_Integer)version);
    return 1;
}

static int dict_incr(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);
    struct tg_dict_number delta = check_number(L, 3, 1);
    struct tg_dict_number initial = check_number(L, 4, 0), sum;
    double seconds = tg_dict_check_ttl(L, 5);
    int error =
        tg_dict_incr(dict, key, key_len, &delta, &initial, seconds, &sum);

    if (error == -EFBIG)
        return tg_dict_push_outcome(L, error);
    if (error)
        return luaL_error(L, "cannot add to '%s': %s", key,
                          error == -ERANGE ? "the integer would overflow"
                                           : "its value is not a number");
    push_number(L, &sum);
    return 1;
}

static int dict_delete(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);

    lua_pushboolean(L, tg_dict_delete(dict, key, key_len) == 0);
    return 1;
}

static int dict_touch(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);
    double seconds = tg_dict_check_ttl(L, 3);

    lua_pushboolean(L, tg_dict_touch(dict, key, key_len, seconds) == 0);
    return 1;
}

static int dict_ttl(lua_State *L)
{
    struct tg_dict *dict = tg_dict_check(L);
    size_t key_len;
    const char *key = tg_dict_check_key(L, &key_len);
    double seconds;

    if (tg_dict_left(dict, key, key_len, &seconds) == 0)
        lua_pushnumber(L, seconds);
    else
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg methods[] = {
    {"get", dict_get},
    {"read", dict_read},
    {"set", dict_set},
    {"add", dict_add},
    {"replace", dict_replace},
    {"swap", dict_swap},
    {"incr", dict_incr},
    {"delete", dict_delete},
    {"touch", dict_touch},
    {"ttl", dict_ttl},
    {NULL, NULL},
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
    tg_bind_class(L, TG_DICT, methods, metamethods);
    learn_null(L);
    luaL_newlib(L, functions);
    luaL_getmetatable(L, TG_DICT);
    lua_getfield(L, -1, "__index");
    luaL_setfuncs(L, tg_dict_all_methods, 0);
    luaL_setfuncs(L, tg_dict_list_methods, 0);
    lua_setfield(L, -3, "methods"); /* for the Lua half, to add its own */
    lua_pop(L, 1);
    return 1;
}
