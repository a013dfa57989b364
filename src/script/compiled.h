// SPDX-License-Identifier: MIT
/*
 * What Lua made of a text: its compiled form, for the states that load the
 * same text later.
 *
 * It is kept once the text is loaded a second time, and belongs to this
 * process: nothing compiled is ever read from outside.  The states of several
 * threads may load from it at the same time.
 */
#ifndef TG_SCRIPT_COMPILED_H
#define TG_SCRIPT_COMPILED_H

#include <stddef.h>

#include <lua.h>

struct tg_text;

/* A static one is zeroed, and not counted. */
struct tg_compiled {
    _Atomic int refs;
    _Atomic int loads;              /* of the text */
    _Atomic(struct tg_text *) code; /* NULL until it is kept; stays then */
};

struct tg_compiled *tg_compiled_new(void);
struct tg_compiled *tg_compiled_ref(struct tg_compiled *compiled);
void tg_compiled_unref(struct tg_compiled *compiled); /* NULL is ignored */

/*
 * As luaL_loadbufferx() of the text, with the same function or message.  `name`
 * is the chunk's; it and the text have to be the same at every call.
 */
int tg_compiled_load(struct tg_compiled *compiled, lua_State *L,
                     const char *text, size_t len, const char *name);

#endif
