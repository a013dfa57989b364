// SPDX-License-Identifier: MIT
/*
 * The libraries a handler sees: Lua's own, less what would hurt the process.
 */
#ifndef TG_SCRIPT_LIBRARY_H
#define TG_SCRIPT_LIBRARY_H

#include <lua.h>

/* A Lua function: opens all of it in a new state. */
int tg_library_open(lua_State *L);

struct tg_text;

/* Adds a line each for Lua and LPeg. */
void tg_library_versions(struct tg_text *out);

#endif
