// SPDX-License-Identifier: MIT
/* The method of responses that sends a file. */
#ifndef TG_BIND_RESPONSE_FILE_H
#define TG_BIND_RESPONSE_FILE_H

#include <lua.h>

int tg_response_file(lua_State *L);

#endif
