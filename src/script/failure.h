// SPDX-License-Identifier: MIT
/* How a task has failed: its error, and where that happened. */
#ifndef TG_SCRIPT_FAILURE_H
#define TG_SCRIPT_FAILURE_H

#include <lua.h>
#include <stdbool.h>

struct tg_task;

/* Leaves the error and its traceback on the state's stack, whatever it is: a
 * __tostring that raises is itself an error. */
void tg_failure_take(struct tg_task *task, int status);

/* Has the coroutine ended so since there was no memory? */
bool tg_failure_is_memory(lua_State *co, int status);

/* The task that runs raises an error that has come from another one: the
 * error and that one's traceback are on top of `L`, and stay there. */
void tg_failure_set_cause(lua_State *L);

/* Pushes the traceback of the error on top, from the task that runs; what it
 * was told of a cause follows. */
void tg_failure_trace(lua_State *L);

/* Forgets what the task was told by that. */
void tg_failure_drop_cause(struct tg_task *task);

#endif
