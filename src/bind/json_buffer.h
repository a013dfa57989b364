// SPDX-License-Identifier: MIT
/*
 * The buffer JSON text is written to: one a Lua state, kept between encodes.
 *
 * It is a userdata in the registry and its memory comes from the state's
 * allocator: an error loses nothing, and every byte is counted.
 */
#ifndef TG_BIND_JSON_BUFFER_H
#define TG_BIND_JSON_BUFFER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "bind/json_keys.h"

struct tg_json_buffer {
    char *data;
    size_t cap;
    struct tg_json_key *keys; /* the sorted keys of the objects written now */
    size_t keys_cap;
    const void *array; /* the metatable of arrays */
    bool closed;       /* the Lua state is going away */
};

/* The state's buffer, trimmed; what the last encode wrote may be gone. */
struct tg_json_buffer *tg_json_buffer_get(lua_State *L);

/* Frees the memory if it is more than is worth keeping. */
void tg_json_buffer_trim(lua_State *L);

/* Makes room for `more` bytes behind `len`, and for more keys.  Both raise a
 * Lua error if there is no memory. */
void tg_json_buffer_grow(lua_State *L, struct tg_json_buffer *buffer,
                         size_t len, size_t more);
void tg_json_buffer_grow_keys(lua_State *L, struct tg_json_buffer *buffer);

#endif
