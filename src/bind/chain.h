// SPDX-License-Identifier: MIT
/* Middleware around a handler, as one function. */
#ifndef TG_BIND_CHAIN_H
#define TG_BIND_CHAIN_H

#include <lua.h>

/* core.chain(functions); see chain.c. */
int tg_chain_make(lua_State *L);

#endif
