// SPDX-License-Identifier: MIT
/*
 * What is alive: every kind of object that could be forgotten is counted.
 *
 * Each thread counts its own; a thread that ends adds its counts to the
 * total.  At a clean end all of them are 0, and the specs check it.
 */
#ifndef TG_BASE_CENSUS_H
#define TG_BASE_CENSUS_H

struct tg_census {
    long tasks, exchanges, timers, connections, states;
    long subscriptions, sockets;
};

/* The calling thread's own counts. */
extern _Thread_local struct tg_census tg_census;

/* Adds the calling thread's counts to the total and clears them. */
void tg_census_flush(void);

/* Flushes, and logs the total: all of it is 0 at a clean end. */
void tg_census_log(void);

#endif
