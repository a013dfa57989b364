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
 *
 * A task may have children: they are cancelled when it ends, and what they add
 * to the state's memory counts as their first ancestor's.
 */
#ifndef TG_SCRIPT_TASK_H
#define TG_SCRIPT_TASK_H

#include <lua.h>

#include "base/list.h"
#include "script/state.h"
#include "script/wait.h"

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

/*
 * A child of the task that runs, with its budget; to be begun with
 * tg_task_begin().  Raises if the memory budget does not allow it.
 */
struct tg_task *tg_task_child(lua_State *L, tg_task_end_fn *on_end, void *arg);

/* Starts a task later, in its turn: whoever made it goes on first. */
void tg_task_begin(struct tg_task *task, int nargs);

/* Takes the task from its parent: it may live longer. */
void tg_task_detach(struct tg_task *task);

/* The first of its ancestors: itself, if it has no parent. */
struct tg_task *tg_task_root(struct tg_task *task);

/* Gives the task that runs a budget of its own, in place of the state's. */
void tg_task_allow(struct tg_task *task, const struct tg_budget *budget);

/* Runs the task; it may end before this returns, and frees itself then. */
void tg_task_start(struct tg_task *task, int nargs);

/* Ends a parked task, its children first; their to-be-closed variables run.
 * Not while a task runs. */
void tg_task_cancel(struct tg_task *task);

/* Has it cancelled in its turn, unless it has ended by then.  May be called
 * while any task runs, and for that task too. */
void tg_task_doom(struct tg_task *task);

/* Runs the tasks that are ready to go on, each once.  False: there are more
 * by now. */
bool tg_task_run_ready(struct tg_state *state);

/* What is to be done when a task has ended; embed it. */
struct tg_defer {
    struct tg_list link;
    void (*run)(struct tg_defer *defer);
};

void tg_task_defer(struct tg_task *task, struct tg_defer *defer);

/* For script/: resumes a task that was parked. */
void tg_task_resume(struct tg_task *task, int nargs);

/* For script/: it goes on in its turn. */
void tg_task_make_ready(struct tg_task *task);

/* For script/: the task that runs in `L`, and did for so long, has to give way
 * to others.  True: `L` has to yield now. */
bool tg_task_give_way(lua_State *L, unsigned milliseconds);

/* Pushes a traceback of where a parked task waits, the message in front. */
void tg_task_trace(struct tg_task *task, lua_State *L, const char *message);

/* Writes "handlers/slow.lua:3": the line where a parked task waits, or "?". */
void tg_task_where(const struct tg_task *task, char *room, size_t size);

/* Cancels every parked task of the state. */
void tg_task_cancel_all(struct tg_state *state);

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
    struct tg_list link;  /* in its state's tasks, or spare ones */
    struct tg_list ready; /* in its state's ready ones */
    struct tg_state *state;
    lua_State *co;
    int ref;                  /* keeps `co` alive in the registry */
    struct tg_wait *wait;     /* NULL while running */
    struct tg_wait turn;      /* its wait while it only waits for its turn */
    int nargs;                /* on its stack, before it begins */
    bool doomed;              /* to be cancelled in its turn */
    bool unwinding;           /* its to-be-closed variables run */
    bool sliced;              /* it gave way, and was not done */
    bool was_cut;             /* while parked; its coroutine is worn then */
    struct tg_nest *resumers; /* innermost first */
    struct tg_nest *parked;   /* outermost first */
    struct tg_task *parent;
    struct tg_list children, sibling;
    int depth;             /* how many ancestors it has */
    struct tg_list defers; /* when it has ended */
    int cause;             /* registry: {error, traceback}, or LUA_NOREF */
    struct tg_budget budget;
    unsigned used;            /* milliseconds, in slices since its last wait */
    unsigned cleanup;         /* milliseconds that its family took for it */
    size_t bytes;             /* that its family has added to the state */
    enum tg_task_fault fault; /* why it failed */
    double since;             /* when it was made */
    tg_task_end_fn *on_end;
    void *arg;
};

#endif
