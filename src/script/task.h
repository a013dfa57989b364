// SPDX-License-Identifier: MIT
/*
 * A task is one coroutine running one handler.
 *
 * It runs until it ends or parks.  A parked task costs no stack and no thread:
 * whoever it waits for wakes it.  Exactly one of three things ends a task, and
 * `on_end` hears of it once: it returned, it raised an error, it was cancelled.
 *
 * The coroutines a handler makes for itself run inside its task: a wait in one
 * of them parks the whole task (see coroutine.h).
 */
#ifndef TG_SCRIPT_TASK_H
#define TG_SCRIPT_TASK_H

#include <lua.h>

#include "base/list.h"
#include "script/state.h"

struct tg_state;
struct tg_task;

enum tg_task_end {
    TG_TASK_RETURNED,
    TG_TASK_FAILED, /* the state's stack top holds the error, then a traceback
                       with it in front */
    TG_TASK_CANCELLED,
};

/* Did a task fail since it was over its budget? */
enum tg_task_fault { TG_TASK_ERROR, TG_TASK_TIME, TG_TASK_MEMORY };

typedef void tg_task_end_fn(struct tg_task *task, enum tg_task_end end,
                            void *arg);

/*
 * A task without a function: push that and its arguments on the stack of
 * tg_task_stack(), then start it.  Raises nothing but out of memory.
 */
struct tg_task *tg_task_new(struct tg_state *state, tg_task_end_fn *on_end,
                            void *arg);
lua_State *tg_task_stack(struct tg_task *task);
void *tg_task_arg(struct tg_task *task);

/* Gives the task that runs a budget of its own, in place of the state's. */
void tg_task_allow(struct tg_task *task, const struct tg_budget *budget);

/* Runs the task; it may end before this returns, and frees itself then. */
void tg_task_start(struct tg_task *task, int nargs);

/* Ends a parked task; its to-be-closed variables run. */
void tg_task_cancel(struct tg_task *task);

/* Pushes a traceback of where a parked task waits, the message in front. */
void tg_task_trace(struct tg_task *task, lua_State *L, const char *message);

/* Cancels every parked task of the state. */
void tg_task_cancel_all(struct tg_state *state);

/*
 * One wait of one task.  Embed it in the record of the operation, and keep
 * that record in a userdata on the task's own stack: it lives exactly as long
 * as the wait.
 */
struct tg_wait {
    struct tg_task *task;
    void (*cancel)(struct tg_wait *wait); /* stop the operation; do not wake */
};

/* Raises a Lua error unless the code that runs in `L` may park. */
void tg_wait_check(lua_State *L);

/* Parks the task; `next` pushes the results once it is woken. */
int tg_wait_park(lua_State *L, struct tg_wait *wait, lua_KFunction next,
                 lua_KContext context);

/* Resumes the task.  The wait is over; its record may be gone on return. */
void tg_wait_wake(struct tg_wait *wait);

/* Frees the coroutines kept for later; when the state closes. */
void tg_task_free_spare(struct tg_state *state);

/*
 * The chain of coroutines inside a task, for coroutine.c.  While one runs, its
 * resumer is linked; while it is parked, it is linked itself.
 */
struct tg_nest {
    lua_State *co;
    struct tg_nest *next;
};

struct tg_task {
    struct tg_list link;
    struct tg_state *state;
    lua_State *co;
    int ref;                  /* keeps `co` alive in the registry */
    struct tg_wait *wait;     /* NULL while running */
    struct tg_nest *resumers; /* innermost first */
    struct tg_nest *parked;   /* outermost first */
    struct tg_budget budget;
    size_t bytes;             /* that it has added to the state */
    enum tg_task_fault fault; /* why it failed */
    tg_task_end_fn *on_end;
    void *arg;
};

#endif
