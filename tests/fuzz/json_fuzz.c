// SPDX-License-Identifier: MIT
/*
 * Decodes the input.  What decodes must encode, in every style, and what that
 * text decodes to must encode to the same text again.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/json.h"
#include "bind/json_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "json_fuzz: %s\n", what);
        abort();
    }
}

/* Pushes the text of the value at `index`. */
static const char *push_text(lua_State *L, int index, int indent)
{
    const struct tg_json_style style = {.indent = indent, .sort = true};
    size_t len;
    const char *text = tg_json_encode_styled(L, index, &style, &len);

    return lua_pushlstring(L, text, len);
}

static void push_decoded(lua_State *L, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);

    require(tg_json_decode(L, text, len), "an encoded text does not decode");
}

static int try_input(lua_State *L)
{
    const char *input = lua_touserdata(L, 1);
    size_t size = (size_t)lua_tointeger(L, 2), len;
    const char *text;
    int top;

    if (!tg_json_decode(L, input, size)) {
        require(lua_type(L, -1) == LUA_TSTRING, "a failure has no message");
        return 0;
    }
    top = lua_gettop(L);
    require(top == 3, "decoding left more than the value");
    push_text(L, 3, 0);
    push_decoded(L, 4);
    push_text(L, 5, 0);
    require(lua_rawequal(L, 4, 6), "the second encoding differs");

    push_text(L, 3, 2);
    push_decoded(L, 7);
    push_text(L, 8, 0);
    require(lua_rawequal(L, 4, 9), "the indented encoding differs");

    text = tg_json_encode(L, 3, &len);
    lua_pushlstring(L, text, len);
    push_decoded(L, 10);
    push_text(L, 11, 0);
    require(lua_rawequal(L, 4, 12), "the unsorted encoding differs");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    char *copy; /* without a NUL behind it: reading past the end is caught */

    if (!L)
        L = luaL_newstate();
    copy = malloc(size ? size : 1);
    require(L && copy, "not enough memory");
    if (size)
        memcpy(copy, data, size);
    lua_pushcfunction(L, try_input);
    lua_pushlightuserdata(L, copy);
    lua_pushinteger(L, (lua_Integer)size);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        require(false, lua_tostring(L, -1));
    free(copy);
    return 0;
}
