// SPDX-License-Identifier: MIT
/*
 * Each value is a tag and what belongs to it:
 *
 *     INTEGER   zigzag, as a varint
 *     FLOAT     eight bytes
 *     STRING    its length as a varint, its bytes
 *     TABLE     flags; a varint and a byte that hint at the sizes;
 *               the values 1 to n, END; the other keys and values, END
 *
 * The walk that packs makes no Lua object, so nothing can start the collector,
 * whose finalizers might pack too.
 */
#include "script/value.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define DEPTH 100
#define KEEP ((size_t)1024 * 1024) /* the largest idle buffer */
#define SHOWN 60                   /* bytes of a key, in an error */
#define VARINT 10                  /* the longest, in bytes */
#define ARRAY "tidegate.json.array"

enum tag { END, FALSE, TRUE, INTEGER, FLOAT, STRING, NUL, TABLE };
enum { IS_ARRAY = 1 }; /* flags of a table */

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

/* --- refusing --- */

/* Where the walk is: a key on the Lua stack or, if that is 0, an index; and
 * the step to its table. */
struct step {
    const struct step *up;
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

    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (!step)
        return "";
    up = path_to(L, step->up);
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
    luaL_error(L, "%s%sa %s%s cannot be shared", path_to(L, step),
               step ? ": " : "", type, where);
}

/* --- packing --- */

static char *room(struct buffer *b, size_t len)
{
    size_t cap = b->cap ? b->cap : 512;

    if (b->cap - b->len < len) {
        if (len > SIZE_MAX / 4 - b->len)
            luaL_error(b->L, "the value is too large");
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
    char *at = room(b, VARINT);

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

        add_byte(b, INTEGER);
        add_varint(b, value << 1 ^ (value >> 63 ? UINT64_MAX : 0));
    } else {
        double value = lua_tonumber(b->L, index);

        add_byte(b, FLOAT);
        add_bytes(b, &value, sizeof(value));
    }
}

static void add_string(struct buffer *b, int index)
{
    size_t len;
    const char *text = lua_tolstring(b->L, index, &len);

    add_byte(b, STRING);
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
        add_byte(b, lua_toboolean(b->L, index) ? TRUE : FALSE);
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
    struct step step = {.up = up, .index = 1};

    while (lua_rawgeti(b->L, table, step.index) != LUA_TNIL) {
        add_value(b, lua_gettop(b->L), &step, depth);
        lua_pop(b->L, 1);
        step.index++;
    }
    lua_pop(b->L, 1);
    add_byte(b, END);
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
    struct step step = {.up = up, .key = key};
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
    add_byte(b, END);
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

static void add_table(struct buffer *b, int table, const struct step *step,
                      int depth)
{
    lua_Integer listed;
    size_t hint, rest;

    if (depth == DEPTH)
        refuse(b->L, step, "table", " nested this deep");
    luaL_checkstack(b->L, 4, NULL);
    add_byte(b, TABLE);
    add_byte(b, is_array(b, table) ? IS_ARRAY : 0);
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
        add_byte(b, NUL);
    else
        refuse(b->L, step, lua_typename(b->L, type), "");
}

const char *tg_value_pack(lua_State *L, int index, size_t *len)
{
    struct buffer *b = get_buffer(L);

    index = lua_absindex(L, index);
    if (b->closed)
        luaL_error(L, "nothing can be shared while the Lua state is closing");
    if (b->cap > KEEP)
        resize(L, b, 0);
    luaL_getmetatable(L, ARRAY);
    b->array = lua_topointer(L, -1);
    lua_pop(L, 1);
    b->L = L;
    b->len = 0;
    add_value(b, index, NULL, 0);
    *len = b->len;
    return b->data;
}

/* --- unpacking --- */

struct reader {
    lua_State *L;
    const unsigned char *at, *end;
};

static size_t rest_of(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* The next byte, or -1 if there is none. */
static int read_byte(struct reader *r)
{
    return r->at < r->end ? *r->at++ : -1;
}

static bool read_varint(struct reader *r, uint64_t *value)
{
    int shift, byte;

    *value = 0;
    for (shift = 0; shift < 7 * VARINT; shift += 7) {
        byte = read_byte(r);
        if (byte < 0)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte <= 0x7f)
            return true;
    }
    return false;
}

static bool push_integer(struct reader *r)
{
    uint64_t value;

    if (!read_varint(r, &value))
        return false;
    value = value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
    lua_pushinteger(r->L, (lua_Integer)value);
    return true;
}

static bool push_float(struct reader *r)
{
    double value;

    if (rest_of(r) < sizeof(value))
        return false;
    memcpy(&value, r->at, sizeof(value));
    r->at += sizeof(value);
    lua_pushnumber(r->L, value);
    return true;
}

static bool push_string(struct reader *r)
{
    uint64_t len;

    if (!read_varint(r, &len) || len > rest_of(r))
        return false;
    lua_pushlstring(r->L, (const char *)r->at, (size_t)len);
    r->at += len;
    return true;
}

static bool push_value(struct reader *r, int tag, int depth);

static bool fill_list(struct reader *r, int depth)
{
    lua_Integer index;
    int tag;

    for (index = 1; (tag = read_byte(r)) != END; index++) {
        if (!push_value(r, tag, depth))
            return false;
        lua_rawseti(r->L, -2, index);
    }
    return true;
}

static bool push_key_of(struct reader *r, int tag)
{
    if (tag == TABLE || tag == NUL || !push_value(r, tag, DEPTH))
        return false;
    return tag != FLOAT || !isnan(lua_tonumber(r->L, -1));
}

static bool fill_rest(struct reader *r, int depth)
{
    int tag;

    while ((tag = read_byte(r)) != END) {
        if (!push_key_of(r, tag) || !push_value(r, read_byte(r), depth))
            return false;
        lua_rawset(r->L, -3);
    }
    return true;
}

static bool push_table(struct reader *r, int depth)
{
    int flags = read_byte(r), rest;
    uint64_t listed;

    if (depth == DEPTH || flags < 0 || !read_varint(r, &listed))
        return false;
    rest = read_byte(r);
    if (rest < 0)
        return false;
    /* Hints may lie; what follows is no longer than the bytes it is in. */
    listed = listed < rest_of(r) ? listed : rest_of(r);
    listed = listed < INT_MAX ? listed : INT_MAX;
    luaL_checkstack(r->L, 4, NULL);
    lua_createtable(r->L, (int)listed, rest);
    if (flags & IS_ARRAY) {
        luaL_newmetatable(r->L, ARRAY);
        lua_setmetatable(r->L, -2);
    }
    return fill_list(r, depth + 1) && fill_rest(r, depth + 1);
}

static bool push_value(struct reader *r, int tag, int depth)
{
    switch (tag) {
    case FALSE:
    case TRUE:
        lua_pushboolean(r->L, tag == TRUE);
        return true;
    case INTEGER:
        return push_integer(r);
    case FLOAT:
        return push_float(r);
    case STRING:
        return push_string(r);
    case NUL:
        lua_pushlightuserdata(r->L, (void *)get_buffer(r->L)->null);
        return true;
    case TABLE:
        return push_table(r, depth);
    default:
        return false;
    }
}

bool tg_value_push(lua_State *L, const char *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;
    struct reader reader = {L, at, at + len};
    int top = lua_gettop(L);

    luaL_checkstack(L, 4, NULL);
    if (push_value(&reader, read_byte(&reader), 0) && reader.at == reader.end)
        return true;
    lua_settop(L, top);
    return false;
}
