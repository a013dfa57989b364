// SPDX-License-Identifier: MIT
/*
 * The walk that packs makes no Lua object, so nothing can start the collector,
 * whose finalizers might pack too.
 */
#include "script/value.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/value_form.h"

#define MOST ((size_t)1024 * 1024 * 1024) /* bytes of a packed value */
#define KEEP ((size_t)1024 * 1024)        /* the largest idle buffer */
#define SHOWN 60                          /* bytes of a key, in an error */

/* --- the buffer: one a Lua state, in its registry and of its memory --- */

struct buffer {
    char *data;
    size_t cap, len;
    const void *null;
    bool closed; /* the Lua state is going away */

    lua_State *L;      /* of the pack that goes on */
    const void *array; /* the metatable of arrays, or NULL */
};

static const char buffer_key;

static void resize(lua_State *L, struct buffer *buffer, size_t cap)
{
    void *ud, *moved;
    lua_Alloc alloc = lua_getallocf(L, &ud);

    moved = alloc(ud, buffer->data, buffer->cap, cap);
    if (!moved && cap)
        luaL_error(L, "not enough memory");
    buffer->data = moved;
    buffer->cap = cap;
}

static int buffer_gc(lua_State *L)
{
    struct buffer *buffer = lua_touserdata(L, 1);

    buffer->closed = true;
    resize(L, buffer, 0);
    return 0;
}

static struct buffer *get_buffer(lua_State *L)
{
    struct buffer *buffer;

    luaL_checkstack(L, 4, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &buffer_key);
    buffer = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (buffer)
        return buffer;
    buffer = lua_newuserdatauv(L, sizeof(*buffer), 0);
    *buffer = (struct buffer){0}; /* whole before it has a __gc */
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, buffer_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &buffer_key);
    return buffer;
}

void tg_value_set_null(lua_State *L, const void *null)
{
    get_buffer(L)->null = null;
}

const void *tg_value_null(lua_State *L)
{
    return get_buffer(L)->null;
}

void tg_value_trim(lua_State *L)
{
    struct buffer *buffer = get_buffer(L);

    if (buffer->cap > KEEP)
        resize(L, buffer, 0);
}

/* --- refusing --- */

/* Where the walk is: in a table, at a key on the Lua stack or, if that is 0, at
 * an index; and the step to that table. */
struct step {
    const struct step *up;
    const void *table;
    int key;
    lua_Integer index;
};

static bool is_name(const char *text, size_t len)
{
    static const char bytes[] = "_0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return len > 0 && *text > '9' && strspn(text, bytes) == len;
}

/* `.users[3].name`; leaves its parts on the stack, since an error follows. */
static const char *path_to(lua_State *L, const struct step *step)
{
    const char *up, *key;
    size_t len;

    if (!step)
        return "";
    up = path_to(L, step->up);
    luaL_checkstack(L, LUA_MINSTACK, NULL); /* with that of `up` still there */
    if (!step->key)
        return lua_pushfstring(L, "%s[%I]", up, (LUAI_UACINT)step->index);
    key = luaL_tolstring(L, step->key, &len);
    if (len > SHOWN)
        key = lua_pushfstring(L, "%s...", lua_pushlstring(L, key, SHOWN));
    if (lua_type(L, step->key) != LUA_TSTRING)
        return lua_pushfstring(L, "%s[%s]", up, key);
    return lua_pushfstring(L, is_name(key, len) ? "%s.%s" : "%s[\"%s\"]", up,
                           key);
}

/* Raises that a `type` at `step` cannot be shared; NULL is the whole value. */
static void refuse(lua_State *L, const struct step *step, const char *type,
                   const char *where)
{
    const char *path = path_to(L, step);

    luaL_checkstack(L, LUA_MINSTACK, NULL);
    luaL_error(L, "%s%sa %s%s cannot be shared", path, step ? ": " : "", type,
               where);
}

/* --- packing --- */

static char *room(struct buffer *b, size_t len)
{
    size_t cap = b->cap ? b->cap : 512;

    if (b->cap - b->len < len) {
        if (len > MOST - b->len)
            luaL_error(b->L, "a value this large cannot be shared");
        while (cap - b->len < len)
            cap *= 2;
        resize(b->L, b, cap);
    }
    return b->data + b->len;
}

static void add_byte(struct buffer *b, int byte)
{
    *room(b, 1) = (char)byte;
    b->len++;
}

static void add_varint(struct buffer *b, uint64_t value)
{
    char *at = room(b, TG_VALUE_VARINT);

    for (; value > 0x7f; value >>= 7)
        *at++ = (char)(value | 0x80);
    *at++ = (char)value;
    b->len = (size_t)(at - b->data);
}

static void add_bytes(struct buffer *b, const void *data, size_t len)
{
    memcpy(room(b, len), data, len);
    b->len += len;
}

static void add_number(struct buffer *b, int index)
{
    if (lua_isinteger(b->L, index)) {
        uint64_t value = (uint64_t)lua_tointeger(b->L, index);

        add_byte(b, TG_VALUE_INTEGER);
        add_varint(b, value << 1 ^ (value >> 63 ? UINT64_MAX : 0));
    } else {
        double value = lua_tonumber(b->L, index);

        add_byte(b, TG_VALUE_FLOAT);
        add_bytes(b, &value, sizeof(value));
    }
}

static void add_string(struct buffer *b, int index)
{
    size_t len;
    const char *text = lua_tolstring(b->L, index, &len);

    add_byte(b, TG_VALUE_STRING);
    add_varint(b, len);
    add_bytes(b, text, len);
}

/* Adds what may be a key; returns whether this is. */
static bool add_plain(struct buffer *b, int index, int type)
{
    if (type == LUA_TSTRING)
        add_string(b, index);
    else if (type == LUA_TNUMBER)
        add_number(b, index);
    else if (type == LUA_TBOOLEAN)
        add_byte(b,
                 lua_toboolean(b->L, index) ? TG_VALUE_TRUE : TG_VALUE_FALSE);
    else
        return false;
    return true;
}

static void add_value(struct buffer *b, int index, const struct step *step,
                      int depth);

/* Adds the values from 1 to the first nil; returns how many there are. */
static lua_Integer add_list(struct buffer *b, int table, const struct step *up,
                            int depth)
{
    struct step step = {up, lua_topointer(b->L, table), 0, 1};

    while (lua_rawgeti(b->L, table, step.index) != LUA_TNIL) {
        add_value(b, lua_gettop(b->L), &step, depth);
        lua_pop(b->L, 1);
        step.index++;
    }
    lua_pop(b->L, 1);
    add_byte(b, TG_VALUE_END);
    return step.index - 1;
}

static bool is_listed(lua_State *L, int key, lua_Integer listed)
{
    lua_Integer index = lua_isinteger(L, key) ? lua_tointeger(L, key) : 0;

    return 1 <= index && index <= listed;
}

/* Adds what is not in the list; returns how much that is. */
static size_t add_rest(struct buffer *b, int table, lua_Integer listed,
                       const struct step *up, int depth)
{
    int key = lua_gettop(b->L) + 1;
    struct step step = {up, lua_topointer(b->L, table), key, 0};
    size_t count = 0;

    lua_pushnil(b->L);
    for (; lua_next(b->L, table); lua_pop(b->L, 1)) {
        int type = lua_type(b->L, key);

        if (is_listed(b->L, key, listed))
            continue;
        if (!add_plain(b, key, type))
            refuse(b->L, up, lua_typename(b->L, type), " as a key");
        add_value(b, key + 1, &step, depth);
        count++;
    }
    add_byte(b, TG_VALUE_END);
    return count;
}

static bool is_array(struct buffer *b, int table)
{
    bool same = false;

    if (b->array && lua_getmetatable(b->L, table)) {
        same = lua_topointer(b->L, -1) == b->array;
        lua_pop(b->L, 1);
    }
    return same;
}

static bool is_inside(const struct step *step, const void *table)
{
    for (; step; step = step->up)
        if (step->table == table)
            return true;
    return false;
}

static void add_table(struct buffer *b, int table, const struct step *step,
                      int depth)
{
    lua_Integer listed;
    size_t hint, rest;

    if (is_inside(step, lua_topointer(b->L, table)))
        refuse(b->L, step, "table", " that contains itself");
    if (depth == TG_VALUE_DEPTH)
        refuse(b->L, step, "table", " nested more than 100 levels deep");
    luaL_checkstack(b->L, 4, NULL);
    add_byte(b, TG_VALUE_TABLE);
    add_byte(b, is_array(b, table) ? TG_VALUE_IS_ARRAY : 0);
    add_varint(b, lua_rawlen(b->L, table));
    hint = b->len;
    add_byte(b, 0); /* set below */
    listed = add_list(b, table, step, depth + 1);
    rest = add_rest(b, table, listed, step, depth + 1);
    b->data[hint] = (char)(rest < UCHAR_MAX ? rest : UCHAR_MAX);
}

static void add_value(struct buffer *b, int index, const struct step *step,
                      int depth)
{
    int type = lua_type(b->L, index);

    if (add_plain(b, index, type))
        return;
    if (type == LUA_TTABLE)
        add_table(b, index, step, depth);
    else if (type == LUA_TLIGHTUSERDATA &&
             lua_touserdata(b->L, index) == b->null)
        add_byte(b, TG_VALUE_NULL);
    else
        refuse(b->L, step, lua_typename(b->L, type), "");
}

const char *tg_value_pack(lua_State *L, int index, size_t *len)
{
    struct buffer *b = get_buffer(L);

    index = lua_absindex(L, index);
    if (b->closed)
        luaL_error(L, "nothing can be shared while the Lua state is closing");
    tg_value_trim(L); /* an error may have kept the one before from it */
    luaL_getmetatable(L, TG_VALUE_ARRAY);
    b->array = lua_topointer(L, -1);
    lua_pop(L, 1);
    b->L = L;
    b->len = 0;
    add_value(b, index, NULL, 0);
    *len = b->len;
    return b->data;
}
