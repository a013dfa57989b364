// SPDX-License-Identifier: MIT
/*
 * A Lua state: one generation on one thread.
 *
 * It is made on a loader thread, belongs to one serving thread afterwards, and
 * is closed on a loader thread again; never on two at once.
 */
#ifndef TG_SCRIPT_STATE_H
#define TG_SCRIPT_STATE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "script/turn.h"

struct tg_bundle;
struct tg_task;

/* What Lua may take before it is made to stop. */
struct tg_budget {
    unsigned milliseconds; /* of a turn */
    size_t task_bytes;     /* that one task may add to the state */
    size_t state_bytes;    /* of the whole state */
};

struct tg_state {
    lua_State *L;             /* the main thread: never runs a handler */
    struct tg_turn *turn;     /* of the thread it is on */
    struct tg_turn unwatched; /* until it is on one that is watched */
    struct tg_budget budget;
    size_t bytes;   /* that Lua holds */
    size_t ceiling; /* what it may hold just now */
    size_t lived;   /* that was left of them by tg_state_relieve() */
    struct tg_pool pool;
    struct tg_bundle *bundle;
    uint64_t generation;
    int thread; /* from 1 */
    void *host; /* what the bindings need of their thread, or NULL */

    struct tg_task *running; /* the task inside lua_resume() now, or NULL */
    struct tg_list tasks;    /* parked and running ones */
    struct tg_list spare;    /* ended ones, whose coroutines serve again */
    struct tg_list ready;    /* those that go on in their turn */
    void (*on_ready)(struct tg_state *state); /* there is one, after none */
    void (*on_run)(struct tg_state *state, struct tg_task *task); /* a task is
                          about to run; NULL: it has come back.  Or NULL */
    void (*on_exhausted)(struct tg_state *state);                 /* or NULL */
    int ntasks, nspare;
    unsigned begun;  /* tasks so far */
    unsigned forced; /* finalizers that had to be ended */
    int closes;      /* coroutine.close inside coroutine.close */
    bool closing;    /* finalizers run for the last time */
};

/* The state that `L`, any coroutine of it, belongs to; the lowest two bits of
 * what it has of that are coroutine.c's. */
static inline struct tg_state *tg_state_of(lua_State *L)
{
    uintptr_t space = *(uintptr_t *)lua_getextraspace(L);

    return (struct tg_state *)(space & ~(uintptr_t)3);
}

/* A state with the standard libraries as handlers may have them. */
struct tg_state *tg_state_new(struct tg_bundle *bundle, uint64_t generation,
                              int thread);

/*
 * Fits the collector to the state's size; to be asked now and then.  A
 * collection costs what lives, so a small state need not collect each time it
 * has doubled.
 */
void tg_state_tune(struct tg_state *state);

/* What it may hold while somebody may add so much, but only up to `most`. */
size_t tg_state_ceiling(const struct tg_state *state, size_t bytes,
                        size_t most);

/* Counts bytes that C holds for an object of Lua, as if Lua held them: raises
 * "not enough memory" if they may not be had; and gives them back. */
void tg_state_hold(lua_State *L, size_t bytes);
void tg_state_give_back(lua_State *L, size_t bytes);

/* Is it full, even without what its tasks hold?  To be asked after a
 * collection: what is left then is there for good. */
bool tg_state_is_exhausted(const struct tg_state *state);

/*
 * Collects if garbage may soon be in the way: what builds strings in C is
 * refused memory without a collection.  To be asked when no task runs; does
 * something only when much was added since the last time.
 */
void tg_state_relieve(struct tg_state *state);

/* No task may be left in it. */
void tg_state_free(struct tg_state *state);

/* The state is on another thread from here on. */
void tg_state_move(struct tg_state *state, struct tg_turn *turn,
                   const struct tg_budget *budget);

/*
 * Calls `fn` with `arg` as a light userdata, where Lua errors are caught.
 * Returns NULL, or the error with its traceback, to be freed.
 */
char *tg_state_protect(struct tg_state *state, lua_CFunction fn, void *arg);

/* As above; an error is only logged, as of `what`. */
void tg_state_attempt(struct tg_state *state, lua_CFunction fn, void *arg,
                      const char *what);

#endif
