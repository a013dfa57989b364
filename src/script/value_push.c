// SPDX-License-Identifier: MIT
#include "script/value.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/value_form.h"

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
    for (shift = 0; shift < 7 * TG_VALUE_VARINT; shift += 7) {
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

    for (index = 1; (tag = read_byte(r)) != TG_VALUE_END; index++) {
        if (!push_value(r, tag, depth))
            return false;
        lua_rawseti(r->L, -2, index);
    }
    return true;
}

static bool push_key_of(struct reader *r, int tag)
{
    if (tag == TG_VALUE_TABLE || tag == TG_VALUE_NULL ||
        !push_value(r, tag, TG_VALUE_DEPTH))
        return false;
    return tag != TG_VALUE_FLOAT || !isnan(lua_tonumber(r->L, -1));
}

static bool fill_rest(struct reader *r, int depth)
{
    int tag;

    while ((tag = read_byte(r)) != TG_VALUE_END) {
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

    if (depth == TG_VALUE_DEPTH || flags < 0 || !read_varint(r, &listed))
        return false;
    rest = read_byte(r);
    if (rest < 0)
        return false;
    /* Hints may lie; what follows is no longer than the bytes it is in. */
    listed = listed < rest_of(r) ? listed : rest_of(r);
    listed = listed < INT_MAX ? listed : INT_MAX;
    luaL_checkstack(r->L, 4, NULL);
    lua_createtable(r->L, (int)listed, rest);
    if (flags & TG_VALUE_IS_ARRAY) {
        luaL_newmetatable(r->L, TG_VALUE_ARRAY);
        lua_setmetatable(r->L, -2);
    }
    return fill_list(r, depth + 1) && fill_rest(r, depth + 1);
}

static bool push_value(struct reader *r, int tag, int depth)
{
    switch (tag) {
    case TG_VALUE_FALSE:
    case TG_VALUE_TRUE:
        lua_pushboolean(r->L, tag == TG_VALUE_TRUE);
        return true;
    case TG_VALUE_INTEGER:
        return push_integer(r);
    case TG_VALUE_FLOAT:
        return push_float(r);
    case TG_VALUE_STRING:
        return push_string(r);
    case TG_VALUE_NULL:
        lua_pushlightuserdata(r->L, (void *)tg_value_null(r->L));
        return true;
    case TG_VALUE_TABLE:
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
