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

#include <ctype.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define DEPTH 100
#define KEEP ((size_t)1024 * 1024) /* the largest idle buffer */
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

static struct buffer *find_buffer(lua_State *L)
{
    struct buffer *buffer;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &buffer_key);
    buffer = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return buffer;
}

static struct buffer *get_buffer(lua_State *L)
{
    struct buffer *buffer;

    luaL_checkstack(L, 4, NULL);
    buffer = find_buffer(L);
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
    size_t i;

    for (i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return 0 < len && len <= 60 && !isdigit((unsigned char)*text);
}

static void add_key(lua_State *L, luaL_Buffer *path, const char *key,
                    size_t len)
{
    size_t i;

    if (is_name(key, len)) {
        luaL_addchar(path, '.');
        luaL_addlstring(path, key, len);
        return;
    }
    luaL_addstring(path, "[\"");
    for (i = 0; i < len && i < 60; i++)
        luaL_addchar(path, isprint((unsigned char)key[i]) ? key[i] : '?');
    luaL_addstring(path, i < len ? "...\"]" : "\"]");
    (void)L;
}

static void add_path(lua_State *L, luaL_Buffer *path, const struct step *step)
{
    size_t len;
    const char *key;

    if (!step)
        return;
    add_path(L, path, step->up);
    if (step->key && lua_type(L, step->key) == LUA_TSTRING) {
        key = lua_tolstring(L, step->key, &len);
        add_key(L, path, key, len);
        return;
    }
    luaL_addchar(path, '[');
    if (step->key)
        luaL_tolstring(L, step->key, NULL);
    else
        lua_pushinteger(L, step->index), luaL_tolstring(L, -1, NULL);
    luaL_addvalue(path);
    luaL_addchar(path, ']');
}
