// SPDX-License-Identifier: MIT
/*
 * What a worker is busy with, for callers of the control socket.  Each thread
 * tells of itself; one that does not within a second is told as such.
 */
#ifndef TG_WORKER_STATUS_H
#define TG_WORKER_STATUS_H

#include <stdbool.h>

#include "base/list.h"

struct tg_mailbox;
struct tg_thread;

/* Where the questions are kept while threads answer; the main thread's. */
struct tg_status_desk {
    struct tg_mailbox *main;
    struct tg_thread *threads;
    int nthreads;
    struct tg_list open;
    double reloading_since; /* tg_clock_now(), or 0: no reload is under way */
};

/* Asks; takes the caller's descriptor, to which the master has written its own
 * part of the answer. */
void tg_status_ask(struct tg_status_desk *desk, int caller, bool as_json);

/* Is somebody waiting?  Then tick() wants to be called a few times a second. */
bool tg_status_is_open(const struct tg_status_desk *desk);
void tg_status_tick(struct tg_status_desk *desk);

/* When the threads have ended. */
void tg_status_release(struct tg_status_desk *desk);

#endif
