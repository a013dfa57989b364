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

struct tg_mailbox;
struct tg_settings;
struct tg_text;
struct tg_turn;
struct tg_watched;

/* A thread has been in a call for longer than stuck_timeout and than it may
 * take: it is lost. */
struct tg_loss {
    char name[16];
    char place[80]; /* of the call: "handlers/a.lua:3" */
    double seconds;
    bool serves; /* requests; others load */
};

/* Adds "handlers/a.lua:3: a call has not returned for 31.0 s". */
void tg_loss_describe(const struct tg_loss *loss, struct tg_text *out);

/* Called once for each by the main mailbox; without one by the watchdog, a
 * second after its time. */
typedef void tg_watchdog_lost_fn(const struct tg_loss *loss, void *arg);

struct tg_watchdog {
    pthread_t handle;
    struct tg_watched *watched;
    int room;
    unsigned slice;    /* milliseconds; 0: no task has to give way */
    double busy_until; /* tasks had to give way not long ago */
    double worked_at;  /* when a thread was last seen at work */
    _Atomic bool stopping;
    double stuck_seconds;
    struct tg_mailbox *main;
    tg_watchdog_lost_fn *on_lost;
    void *arg;
};

/* Watches the threads of a worker with these settings; `on_lost` may be NULL.
 */
void tg_watchdog_start(struct tg_watchdog *watchdog,
                       const struct tg_settings *settings,
                       struct tg_mailbox *main, tg_watchdog_lost_fn *on_lost,
                       void *arg);
void tg_watchdog_stop(struct tg_watchdog *watchdog);

/* Watches the calling thread, called `name`; gives what its states count their
 * turns in. */
struct tg_turn *tg_watchdog_enter(struct tg_watchdog *watchdog,
                                  const char *name, int number);
void tg_watchdog_leave(struct tg_watchdog *watchdog, struct tg_turn *turn);

#endif
