// SPDX-License-Identifier: MIT
/*
 * tidegate.core.json -- values as JSON text and back.
 *
 *     json.encode(value [, options])   text; raises if there is none
 *     json.decode(text [, options])    value, or nil, message
 *     json.array(table)                the table, marked as an array
 *     json.null                        what null decodes to
 */
#include "bind/json.h"

#include <lauxlib.h>

#include "bind/json_buffer.h"
#include "bind/json_codec.h"

#define ARRAY "tidegate.json.array"

static const char null_key, array_key;

void tg_json_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&null_key);
}

bool tg_json_is_null(lua_State *L, int index)
{
    return lua_islightuserdata(L, index) &&
           lua_touserdata(L, index) == (const void *)&null_key;
}

void tg_json_push_array_metatable(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key) == LUA_TNIL) {
        lua_pop(L, 1);
        luaL_newmetatable(L, ARRAY);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
    }
    lua_pushliteral(L, "__gc"); /* handlers can reach it: no finalizer there */
    lua_pushnil(L);
    lua_rawset(L, -3);
}

/* Moves on to the next option in the table at `index`, and returns its name;
 * the option before it must have been popped to its name. */
static const char *next_option(lua_State *L, int index)
{
    if (!lua_next(L, index))
        return NULL;
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_argerror(L, index, "options have names");
    return lua_tostring(L, -2);
}

static lua_Integer check_integer(lua_State *L, int index, const char *name,
                                 lua_Integer most)
{
    lua_Integer value = lua_tointeger(L, -1);

    if (!lua_isinteger(L, -1) || value < 0 || value > most)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' is out of range", name));
    return value;
}

static int refuse_option(lua_State *L, int index, const char *name)
{
    return luaL_argerror(L, index,
                         lua_pushfstring(L, "unknown option '%s'", name));
}

static struct tg_json_style check_style(lua_State *L, int index)
{
    struct tg_json_style style = {0};
    const char *name;

    if (lua_isnoneornil(L, index))
        return style;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    for (; (name = next_option(L, index)); lua_pop(L, 1)) {
        if (strcmp(name, "indent") == 0)
            style.indent = (int)check_integer(L, index, name, TG_JSON_INDENT);
        else if (strcmp(name, "sort") == 0)
            style.sort = lua_toboolean(L, -1);
        else
            refuse_option(L, index, name);
    }
    return style;
}

static size_t check_max_size(lua_State *L, int index)
{
    size_t max_size = SIZE_MAX;
    const char *name;

    if (lua_isnoneornil(L, index))
        return max_size;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    for (; (name = next_option(L, index)); lua_pop(L, 1)) {
        if (strcmp(name, "max_size") != 0)
            refuse_option(L, index, name);
        max_size = (size_t)check_integer(L, index, name, LUA_MAXINTEGER);
    }
    return max_size;
}

static int json_encode(lua_State *L)
{
    struct tg_json_style style = check_style(L, 2);
    const char *text;
    size_t len;

    luaL_checkany(L, 1);
    text = tg_json_encode_styled(L, 1, &style, &len);
    lua_pushlstring(L, text, len);
    tg_json_buffer_trim(L);
    return 1;
}

static int json_decode(lua_State *L)
{
    size_t max_size = check_max_size(L, 2), len;
    const char *text;

    luaL_checktype(L, 1, LUA_TSTRING);
    text = lua_tolstring(L, 1, &len);
    if (len > max_size) {
        lua_pushnil(L);
        lua_pushfstring(L, "text of %I bytes exceeds the limit of %I",
                        (LUAI_UACINT)len, (LUAI_UACINT)max_size);
        return 2;
    }
    if (tg_json_decode(L, text, len))
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

void tg_json_mark_array(lua_State *L)
{
    tg_json_push_array_metatable(L);
    lua_setmetatable(L, -2);
}

static int json_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    tg_json_mark_array(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"encode", json_encode},
    {"decode", json_decode},
    {"array", json_array},
    {NULL, NULL},
};

int luaopen_tidegate_core_json(lua_State *L);

int luaopen_tidegate_core_json(lua_State *L)
{
    tg_json_buffer_get(L); /* now: when the state closes it is too late */
    luaL_newlib(L, functions);
    tg_json_push_null(L);
    lua_setfield(L, -2, "null");
    return 1;
}
