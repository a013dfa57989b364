// SPDX-License-Identifier: MIT
/* All our C modules and classes, in one state. */
#ifndef TG_BIND_CORE_H
#define TG_BIND_CORE_H

#include <lua.h>

/* A Lua function. */
int tg_core_open(lua_State *L);

#endif
