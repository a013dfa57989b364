// SPDX-License-Identifier: MIT
/*
 * Coroutines inside a task: coroutine.resume, wrap and close that pass a park
 * through to the task, and come back when it is woken.
 */
#ifndef TG_SCRIPT_COROUTINE_H
#define TG_SCRIPT_COROUTINE_H

#include <lua.h>
#include <stdbool.h>

struct tg_task;

/* Puts ours into the global table `coroutine`. */
void tg_coroutine_open(lua_State *L);

/* Keeps handlers from resuming or closing `co`, a task's own coroutine. */
void tg_coroutine_keep(lua_State *co);

/*
 * Closes a coroutine that does not run: its to-be-closed variables do, and the
 * watchdog finds them.  The status, and an error on its stack, as
 * lua_resetthread() gives them.  One that is deaf is left as it is.
 */
int tg_coroutine_reset(lua_State *co);

/* A hook is about to raise in `co`, which no hook can end any more if nobody
 * catches that; or it was caught. */
void tg_coroutine_set_deaf(lua_State *co, bool yes);

/* Closes the coroutines through which the task is parked, innermost first, or
 * only forgets them. */
void tg_coroutine_close_parked(struct tg_task *task, bool close);

#endif
