// SPDX-License-Identifier: MIT
/*
 * A wait: what a parked task waits for.
 *
 * Embed it in the record of the operation, and keep that record in a userdata
 * on the task's own stack: it lives exactly as long as the wait.  A wait is
 * checked, started, parked; then it is woken or cancelled, and never both.
 */
#ifndef TG_SCRIPT_WAIT_H
#define TG_SCRIPT_WAIT_H

#include <lua.h>

struct tg_task;

struct tg_wait {
    struct tg_task *task;
    void (*cancel)(struct tg_wait *wait); /* stop the operation; do not wake */
};

/* Raises a Lua error unless the code that runs in `L` may park. */
void tg_wait_check(lua_State *L);

/* Parks the task; `next` pushes the results once it is woken. */
int tg_wait_park(lua_State *L, struct tg_wait *wait, lua_KFunction next,
                 lua_KContext context);

/* Resumes the task, or if another one runs, has it resumed in its turn.  The
 * wait is over; its record may be gone on return. */
void tg_wait_wake(struct tg_wait *wait);

/*
 * Has the task resumed in its turn.  `cancel` may still come before that: then
 * what the task was woken with is to be given to somebody else.
 */
void tg_wait_ready(struct tg_wait *wait);

#endif
