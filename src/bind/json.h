// SPDX-License-Identifier: MIT
/*
 * Lua values as JSON text and back: RFC 8259, strictly, and UTF-8 checked in
 * both directions.
 *
 * Integers stay integers and floats stay floats.  null is a light userdata
 * (`json.null`); an array is a table with the keys 1 to n, and decoded arrays
 * carry a metatable, so that an empty one stays an array.  Tables are read and
 * written raw: no metamethod runs.  Values nest up to 100 levels.
 */
#ifndef TG_BIND_JSON_H
#define TG_BIND_JSON_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Encodes the value at `index`, keys sorted, so that the same value is always
 * the same text.  The bytes belong to the Lua state and are
 * valid until its next encode: use them before anything that may run Lua code.
 * Raises a Lua error that names the path of a value JSON has no form for.
 */
const char *tg_json_encode(lua_State *L, int index, size_t *len);

/*
 * Decodes; pushes the value and returns true, or pushes an error message, with
 * line and column, and returns false.  The text needs no NUL at its end, and
 * must stay where it is meanwhile.  Raises only out of memory.
 */
bool tg_json_decode(lua_State *L, const char *text, size_t len);

/* Marks the table on top as an array, so that it is one even if it is empty. */
void tg_json_mark_array(lua_State *L);

#endif
