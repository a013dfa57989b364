// SPDX-License-Identifier: MIT
/*
 * Where require() finds modules: ours in the program, the project's in the
 * bundle, then the system's Lua modules.
 */
#ifndef TG_SCRIPT_SEARCHER_H
#define TG_SCRIPT_SEARCHER_H

#include <lua.h>

/* Replaces the searchers of package; LPeg must have been loaded before. */
void tg_searcher_open(lua_State *L);

#endif
