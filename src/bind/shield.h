// SPDX-License-Identifier: MIT
/* request:shield(fn, ...): what has to be finished even if the client leaves.
 */
#ifndef TG_BIND_SHIELD_H
#define TG_BIND_SHIELD_H

#include <lua.h>

void tg_shield_open(lua_State *L);

/* The method. */
int tg_request_shield(lua_State *L);

#endif
