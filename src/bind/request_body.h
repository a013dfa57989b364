// SPDX-License-Identifier: MIT
/* How the methods of requests that read content are written.  The request is
 * at index 1. */
#ifndef TG_BIND_REQUEST_BODY_H
#define TG_BIND_REQUEST_BODY_H

#include <lua.h>
#include <stdbool.h>

struct tg_exchange;

/* Ends the task with 413 if the content is over its limit. */
void tg_request_check_size(lua_State *L, struct tg_exchange *x);

/* Parks until more content has come; `next` looks at it. */
int tg_request_wait(lua_State *L, struct tg_exchange *x, lua_KFunction next);

/* The content goes elsewhere: no other method may read it. */
void tg_request_take(lua_State *L);

/* Pushes the text that was read before, or nothing; raises if the content was
 * taken. */
bool tg_request_push_kept(lua_State *L);

/* The content-type of the request, "" if it has none; more than one ends the
 * task with 400.  It stays on the stack. */
const char *tg_request_type(lua_State *L, struct tg_exchange *x, size_t *len);

/* Methods: the content as text; as a form's fields; as parts. */
int tg_request_text(lua_State *L);
int tg_request_form(lua_State *L);
int tg_request_multipart(lua_State *L);

#endif
