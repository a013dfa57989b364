// SPDX-License-Identifier: MIT
/*
 * A turn: the time that Lua runs on a thread without coming back.
 *
 * A thread counts its turns; a watchdog on another thread looks at the count
 * now and then.  A turn that takes longer than it is allowed to is ended from a
 * hook that a signal has set: nothing is counted or compared while all goes
 * well.
 *
 * The hook yields, which no pcall() can catch; who resumed then finds that the
 * turn is overdue.  Where it cannot yield, as in a callback of sort(), it
 * raises, and tries again at the next step.
 *
 * In the same way a task that runs for long gives way to others (`to_slice`).
 */
#ifndef TG_SCRIPT_TURN_H
#define TG_SCRIPT_TURN_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { TG_TURN_TRACE = 2048 };

struct tg_turn {
    _Atomic unsigned number;  /* odd while Lua runs */
    _Atomic unsigned allowed; /* milliseconds, of the turn that runs */
    _Atomic unsigned suspect; /* the watchdog's: the turn it wants to end */
    _Atomic unsigned asked;   /* the watchdog's: the turn it wants a trace of */
    _Atomic unsigned told;    /* the turn that `trace` shows */
    _Atomic unsigned probe;   /* the watchdog's: is Lua reached at all? */
    _Atomic unsigned alive;   /* the newest probe that reached it */
    _Atomic unsigned overdue; /* the turn that must end */
    _Atomic(lua_State *) current; /* the innermost coroutine */
    _Atomic unsigned to_slice;    /* the watchdog's: the turn to give way */
    _Atomic unsigned elapsed;  /* the watchdog's: milliseconds of that turn */
    _Atomic(lua_State *) base; /* the coroutine that may give way, */
    double base_began;         /* and since when, if it did before */
    bool is_primed;            /* the hook has seen a line */
    unsigned depth;            /* turns inside this turn */
    unsigned kept;             /* the turn whose excess is kept */
    char trace[TG_TURN_TRACE];
};

/* Enters Lua; `L` is what runs.  Returns what ran before, for tg_turn_end().
 * A turn inside another one has no time of its own. */
static inline lua_State *tg_turn_begin(struct tg_turn *turn, lua_State *L,
                                       unsigned milliseconds)
{
    lua_State *outer =
        atomic_load_explicit(&turn->current, memory_order_relaxed);

    atomic_store_explicit(&turn->current, L, memory_order_relaxed);
    if (turn->depth++ == 0) {
        atomic_store_explicit(&turn->allowed, milliseconds,
                              memory_order_relaxed);
        atomic_store_explicit(
            &turn->number,
            atomic_load_explicit(&turn->number, memory_order_relaxed) + 1,
            memory_order_release);
    }
    return outer;
}

static inline bool tg_turn_is_overdue(const struct tg_turn *turn)
{
    return turn->depth &&
           atomic_load_explicit(&turn->overdue, memory_order_relaxed) ==
               atomic_load_explicit(&turn->number, memory_order_relaxed);
}

/* Is a yield that is seen now the hook's?  Code may yield by itself when its
 * turn is overdue already. */
static inline bool tg_turn_is_cut(const struct tg_turn *turn)
{
    return turn->kept ==
           atomic_load_explicit(&turn->number, memory_order_relaxed);
}

/* The turn that runs is another one from here on, with the same time again;
 * and: that one is over its time. */
static inline void tg_turn_renew(struct tg_turn *turn)
{
    if (turn->depth)
        atomic_fetch_add(&turn->number, 2);
}

static inline void tg_turn_overrun(struct tg_turn *turn)
{
    atomic_store(&turn->overdue, atomic_load(&turn->number));
}

/* From a hook of `L`'s own: the turn that runs ends here. */
void tg_turn_cut(lua_State *L);

/* Pushes the message that an overdue turn ends with, and a traceback. */
void tg_turn_push_excess(lua_State *L);

/* Leaves Lua.  If the turn is overdue, what ran before has to end, too. */
void tg_turn_end_overdue(struct tg_turn *turn, lua_State *L, lua_State *outer);
static inline void tg_turn_end(struct tg_turn *turn, lua_State *L,
                               lua_State *outer)
{
    if (tg_turn_is_overdue(turn)) {
        tg_turn_end_overdue(turn, L, outer);
        return;
    }
    if (--turn->depth == 0)
        atomic_store_explicit(
            &turn->number,
            atomic_load_explicit(&turn->number, memory_order_relaxed) + 1,
            memory_order_release);
    atomic_store_explicit(&turn->current, outer, memory_order_relaxed);
}

/*
 * In the turn that runs, `base` may give way to others when it has run for
 * long: its hook makes it yield between two lines.  `used`: it has given way
 * before.
 */
void tg_turn_slice(struct tg_turn *turn, lua_State *base, unsigned used);

/* The turn that runs may take so long. */
void tg_turn_allow(struct tg_turn *turn, unsigned milliseconds);

/* The shortest time that any turn was ever allowed. */
unsigned tg_turn_shortest(void);

/* Says which turn is the calling thread's, for tg_turn_signalled(). */
void tg_turn_own(struct tg_turn *turn);

/* The signal's handler: does what the watchdog has asked of this thread. */
void tg_turn_signalled(int signal);

#endif
