// SPDX-License-Identifier: MIT
/*
 * A serving thread: a loop, a server, and the app of the current generation.
 *
 * A new generation comes as a slot: first it is prepared (its on_start
 * functions run here, beside the old app), then one store of the current
 * number makes it the one that serves.  Each exchange looks at that number
 * first, so that no client sees an older answer after a newer one.
 */
#ifndef TG_WORKER_THREAD_H
#define TG_WORKER_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct tg_access;
struct tg_app;
struct tg_bell;
struct tg_blackbox;
struct tg_certificates;
struct tg_listen;
struct tg_loop;
struct tg_mailbox;
struct tg_server;
struct tg_settings;
struct tg_tally;
struct tg_thread;
struct tg_timer;
struct tg_tls;
struct tg_turn;
struct tg_watchdog;

/* An app on its way through a thread. */
struct tg_slot {
    struct tg_list link; /* prepared, or retiring */
    struct tg_thread *thread;
    struct tg_app *app;
    uint64_t number;                 /* of its generation */
    double since;                    /* it serves, or was replaced */
    struct tg_timer *deadline;       /* of its retirement */
    char *error;                     /* why it did not start */
    bool answered;                   /* the loader has heard of it */
    bool renews;                     /* it replaces one of its generation */
    double renewed;                  /* when it asked to be replaced */
    uint64_t attempt;                /* of the loader, to be made */
    void (*on_prepared)(void *slot); /* run in the loader's mailbox */
    void *arg;
};

/* What all threads have in common. */
struct tg_common {
    _Atomic uint64_t current; /* the number of the serving generation */
    const struct tg_settings *settings;
    struct tg_tally *tally; /* of connections by address */
    struct tg_watchdog *watchdog;
    struct tg_certificates *certificates;
    struct tg_blackbox *blackbox; /* or NULL */
    struct tg_mailbox *loader;
    struct tg_mailbox *main;
    void *owner;                      /* the worker */
    void (*on_stopped)(void *thread); /* run in the main mailbox */
};

struct tg_thread {
    pthread_t handle;
    int number;   /* from 1 */
    double grace; /* when it drains */
    struct tg_common *common;
    struct tg_mailbox *mailbox;
    struct tg_bell *bell;
    struct tg_loop *loop;
    struct tg_server *server;
    struct tg_access *access; /* NULL: no access log */
    struct tg_turn *turn;     /* what the watchdog looks at */
    struct tg_slot *serving;
    struct tg_list prepared, retiring;
    bool stopping;
};

/* Makes the loop and starts the thread; false when there is no such event
 * backend. */
bool tg_thread_start(struct tg_thread *thread);

/* From any thread: */
void tg_thread_prepare(struct tg_slot *slot);   /* then on_prepared */
void tg_thread_drop(struct tg_slot *slot);      /* it will not be committed */
void tg_thread_nudge(struct tg_thread *thread); /* look at the number */
void tg_thread_listen(struct tg_thread *thread, int fd,
                      const struct tg_listen *options, struct tg_tls *tls);
void tg_thread_reopen(struct tg_thread *thread); /* its access log */

/* Finishes what is in flight, then stops; or stops at once.  Idle connections
 * may ask once more for so many seconds. */
void tg_thread_drain(struct tg_thread *thread, double grace);
void tg_thread_stop(struct tg_thread *thread);

/* Waits for its end and frees what it had. */
void tg_thread_join(struct tg_thread *thread);

/* Frees an app whose thread is done with it; for a mailbox. */
void tg_slot_free(void *slot);

#endif
