// SPDX-License-Identifier: MIT
/*
 * Where in a value an encoder is, for messages: `.users[3].name`.
 */
#ifndef TG_BIND_JSON_PATH_H
#define TG_BIND_JSON_PATH_H

#include <lua.h>
#include <stddef.h>

/* A member of a table, and the step to that table; NULL is the whole value. */
struct tg_json_step {
    const struct tg_json_step *up;
    const char *key; /* NULL in an array */
    size_t len;
    lua_Integer index;
    int depth;
};

/* Pushes the path to `step`; the middle of a long one is left out. */
void tg_json_push_path(lua_State *L, const struct tg_json_step *step);

#endif
