// SPDX-License-Identifier: MIT
/*
 * LPeg and its module `re`: found once, and kept for the process.
 */
#ifndef TG_SCRIPT_LPEG_H
#define TG_SCRIPT_LPEG_H

#include <lua.h>

/* Looks where Lua would.  Before the first state with libraries, and at least
 * once before there are threads. */
void tg_lpeg_find(void);

/* Opens LPeg in a state, for require() to know it; raises if there is none.
 * `re` is ready to be loaded by who requires it. */
void tg_lpeg_open(lua_State *L);

#endif
