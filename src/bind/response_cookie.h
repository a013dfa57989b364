// SPDX-License-Identifier: MIT
/* The method of responses that sets cookies. */
#ifndef TG_BIND_RESPONSE_COOKIE_H
#define TG_BIND_RESPONSE_COOKIE_H

#include <lua.h>

int tg_response_cookie(lua_State *L);

#endif
