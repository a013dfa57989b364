// SPDX-License-Identifier: MIT
/*
 * The globals of a state: open while handlers are loaded, locked afterwards,
 * so that no request leaves something behind for the next.
 */
#ifndef TG_SCRIPT_GLOBALS_H
#define TG_SCRIPT_GLOBALS_H

#include <lua.h>

/* A Lua function: from now on writing a global is an error that names it. */
int tg_globals_lock(lua_State *L);

#endif
