// SPDX-License-Identifier: MIT
/*
 * A Lua value as bytes, so that it may leave its state and enter another.
 *
 * Packed are booleans, integers and floats (exactly), strings, json.null, and
 * tables of these, nested up to 100 levels, none of them inside itself.  A
 * table is copied raw: no metamethod runs, and of its metatable only the mark
 * of a JSON array stays.
 * The bytes are for this machine: dictionaries keep them in memory, and in
 * files whose number of the form has to change with it (shared/store.c).
 */
#ifndef TG_SCRIPT_VALUE_H
#define TG_SCRIPT_VALUE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Tells which light userdata is json.null in this state; NULL until then. */
void tg_value_set_null(lua_State *L, const void *null);

/*
 * Packs the value at `index`.  The bytes belong to the Lua state and are valid
 * until its next pack: use them before anything that may run Lua code.  Raises
 * a Lua error that names the path of what cannot be packed, as in
 * ".users[3].callback: a function cannot be shared".
 */
const char *tg_value_pack(lua_State *L, int index, size_t *len);

/* Frees the memory of a large pack; its bytes are used. */
void tg_value_trim(lua_State *L);

/*
 * Pushes the packed value and returns true; or pushes nothing and returns
 * false, if the bytes are cut short or malformed.  They are read within `len`
 * whatever they are.  They must stay where they are meanwhile, so they are not
 * those of a pack.  Raises only out of memory.
 */
bool tg_value_push(lua_State *L, const char *data, size_t len);

#endif
