// SPDX-License-Identifier: MIT
/*
 * An answer: the values that a handler returned, made into the response.
 *
 * Nothing, a body, or status, body, headers; docs/handlers.md tells of them.
 * What cannot be a response raises, with the file of the route in front.
 */
#ifndef TG_BIND_ANSWER_H
#define TG_BIND_ANSWER_H

#include <lua.h>

struct tg_exchange;

/* Responds with the values from index `first` on; nobody may have responded
 * yet. */
void tg_answer_with(lua_State *L, struct tg_exchange *x, int first);

/* What a handler's call continues with: the request is at 1, the results are
 * behind it.  The handler may have written the response itself. */
int tg_answer_returned(lua_State *L, int status, lua_KContext context);

#endif
