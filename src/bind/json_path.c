// SPDX-License-Identifier: MIT
#include "bind/json_path.h"

#include <ctype.h>
#include <stdbool.h>

#include <lauxlib.h>

#include "bind/json_codec.h"

static bool is_name(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return len > 0 && !isdigit((unsigned char)*text);
}

static void add_quoted(luaL_Buffer *text, const char *key, size_t len)
{
    size_t i;

    for (i = 0; i < len && i < 60; i++) {
        unsigned char c = (unsigned char)key[i];

        luaL_addchar(text, c < 0x20 || c > 0x7e || c == '"' ? '?' : key[i]);
    }
    if (i < len)
        luaL_addstring(text, "...");
}

/* Adds the path to `step`: `.users[3].name`; the middle of a long one is left
 * out. */
static void add_path(luaL_Buffer *text, const struct tg_json_step *step,
                     int depth)
{
    char number[TG_JSON_NUMBER];

    if (!step)
        return;
    add_path(text, step->up, depth);
    if (depth > 20 && 10 < step->depth && step->depth <= depth - 5) {
        if (step->depth == 11)
            luaL_addstring(text, "...");
    } else if (!step->key) {
        luaL_addchar(text, '[');
        luaL_addlstring(
            text, number,
            (size_t)(tg_json_print_integer(number, step->index) - number));
        luaL_addchar(text, ']');
    } else {
        bool name = is_name(step->key, step->len);

        luaL_addstring(text, name ? "." : "[\"");
        add_quoted(text, step->key, step->len);
        luaL_addstring(text, name ? "" : "\"]");
    }
}

void tg_json_push_path(lua_State *L, const struct tg_json_step *step)
{
    luaL_Buffer path;

    luaL_buffinit(L, &path);
    add_path(&path, step, step ? step->depth : 0);
    luaL_pushresult(&path);
}
