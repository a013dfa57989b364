// SPDX-License-Identifier: MIT
#include "bind/json_buffer.h"

#include <lauxlib.h>
#include <stdint.h>

#include "bind/json_codec.h"

#define KEEP ((size_t)1024 * 1024)

static const char buffer_key;

static void *resize(lua_State *L, void *block, size_t old, size_t size)
{
    void *ud, *moved;
    lua_Alloc alloc = lua_getallocf(L, &ud);

    moved = alloc(ud, block, old, size);
    if (!moved && size) {
        lua_pushliteral(L, "not enough memory");
        lua_error(L);
    }
    return moved;
}

static void empty(lua_State *L, struct tg_json_buffer *buffer)
{
    size_t keys_size = buffer->keys_cap * sizeof(*buffer->keys);

    buffer->data = resize(L, buffer->data, buffer->cap, 0);
    buffer->cap = 0;
    buffer->keys = resize(L, buffer->keys, keys_size, 0);
    buffer->keys_cap = 0;
}

static void trim(lua_State *L, struct tg_json_buffer *buffer)
{
    size_t keys_size = buffer->keys_cap * sizeof(*buffer->keys);

    if (buffer->cap > KEEP || keys_size > KEEP)
        empty(L, buffer);
}

static int buffer_gc(lua_State *L)
{
    struct tg_json_buffer *buffer = lua_touserdata(L, 1);

    buffer->closed = true;
    empty(L, buffer);
    return 0;
}

static struct tg_json_buffer *find(lua_State *L)
{
    struct tg_json_buffer *buffer;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &buffer_key);
    buffer = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return buffer;
}

static struct tg_json_buffer *make(lua_State *L)
{
    struct tg_json_buffer *buffer = lua_newuserdatauv(L, sizeof(*buffer), 0);

    *buffer = (struct tg_json_buffer){0}; /* whole before it has a __gc */
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, buffer_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    tg_json_push_array_metatable(L);
    buffer->array = lua_topointer(L, -1);
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &buffer_key);
    return buffer;
}

struct tg_json_buffer *tg_json_buffer_get(lua_State *L)
{
    struct tg_json_buffer *buffer = find(L);

    if (!buffer)
        buffer = make(L);
    if (buffer->closed)
        luaL_error(L, "cannot encode while the Lua state is closing");
    trim(L, buffer);
    return buffer;
}

void tg_json_buffer_trim(lua_State *L)
{
    struct tg_json_buffer *buffer = find(L);

    if (buffer)
        trim(L, buffer);
}

void tg_json_buffer_grow(lua_State *L, struct tg_json_buffer *buffer,
                         size_t len, size_t more)
{
    size_t cap = buffer->cap ? buffer->cap : 512;

    if (more > SIZE_MAX / 4 - len)
        luaL_error(L, "JSON text is too large");
    while (cap - len < more)
        cap *= 2;
    buffer->data = resize(L, buffer->data, buffer->cap, cap);
    buffer->cap = cap;
}

void tg_json_buffer_grow_keys(lua_State *L, struct tg_json_buffer *buffer)
{
    size_t cap = buffer->keys_cap ? 2 * buffer->keys_cap : 16;
    size_t size = sizeof(*buffer->keys);

    buffer->keys = resize(L, buffer->keys, buffer->keys_cap * size, cap * size);
    buffer->keys_cap = cap;
}
