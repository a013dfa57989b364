// SPDX-License-Identifier: MIT
/*
 * Pairs: names and values as a client sent them, such as the query's.  In Lua
 * a table of the first value by name; called with a name it gives all values.
 */
#ifndef TG_BIND_PAIRS_H
#define TG_BIND_PAIRS_H

#include <lua.h>
#include <stddef.h>

enum { TG_PAIRS_MOST = 1000 };

/* Makes the class; once for a state. */
void tg_pairs_open(lua_State *L);

/* Pushes an empty one; it will hold something? */
void tg_pairs_push(lua_State *L, int nonempty);

/* Adds the name and value on top to the pairs at an absolute index, and pops
 * them.  `count` is how many it has with this one. */
void tg_pairs_add(lua_State *L, int pairs, int count);

/* Adds those of a query, or of content in that form, to empty pairs.  More than
 * TG_PAIRS_MOST end the task with 400 and this message. */
void tg_pairs_add_query(lua_State *L, int pairs, const char *text, size_t len,
                        const char *too_many);

#endif
