// SPDX-License-Identifier: MIT
/* What is said of a module that require() does not find. */
#ifndef TG_SCRIPT_MISSING_H
#define TG_SCRIPT_MISSING_H

#include <lua.h>

/*
 * The last of package.searchers: raises one sentence, which begins with the
 * line of the caller, names the places that were looked at, and suggests the
 * module that was probably meant.  With others behind it, it only gives the
 * sentence to require().
 */
int tg_missing_search(lua_State *L);

/* For require(): raises that sentence about the name at index 1. */
int tg_missing_raise(lua_State *L);

#endif
