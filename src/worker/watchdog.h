// SPDX-License-Identifier: MIT
/*
 * The watchdog: a thread that looks now and then how long each other thread
 * has been inside Lua, and ends what takes too long.  What cannot be ended,
 * since it does not come back to Lua, it reports.
 */
#ifndef TG_WORKER_WATCHDOG_H
#define TG_WORKER_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>

struct tg_turn;
struct tg_watched;

struct tg_watchdog {
    pthread_t handle;
    struct tg_watched *watched;
    int room;
    unsigned slice;    /* milliseconds; 0: no task has to give way */
    double busy_until; /* tasks had to give way not long ago */
    _Atomic bool stopping;

    /* To be set before the start: a call that does not return for so many
     * seconds has lost its thread, and this hears of it once, on the
     * watchdog's thread. */
    double stuck_seconds;
    void (*on_lost)(const char *name, double seconds, void *arg);
    void *arg;
};

/* For at most so many threads at once; tasks give way after so many
 * milliseconds. */
void tg_watchdog_start(struct tg_watchdog *watchdog, int room, unsigned slice);
void tg_watchdog_stop(struct tg_watchdog *watchdog);

/* Watches the calling thread, called `name`; gives what its states count their
 * turns in. */
struct tg_turn *tg_watchdog_enter(struct tg_watchdog *watchdog,
                                  const char *name, int number);
void tg_watchdog_leave(struct tg_watchdog *watchdog, struct tg_turn *turn);

#endif
