// SPDX-License-Identifier: MIT
/*
 * The staff: the worker processes.  One serves; another one may be starting in
 * its place, and others be leaving.
 *
 * A worker that dies is replaced at once, by one that begins with the sources
 * which the dead one served; if the next ones die too, later and later.
 */
#ifndef TG_MASTER_STAFF_H
#define TG_MASTER_STAFF_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/settings.h"
#include "worker/worker.h"

struct tg_link_message;

enum { TG_STAFF_MOST = 8 }; /* processes at a time */

struct tg_staff {
    const struct tg_settings *settings;
    struct tg_listening listeners[TG_SETTINGS_LISTEN_MOST];
    int nlisteners;
    struct tg_list processes; /* the newest last */
    int bundle;               /* a copy of what was served last, or -1 */
    uint64_t generation;      /* whose it is */
    int restarts;
    int failures;      /* deaths since a worker has last lived for a while */
    double restart_at; /* tg_clock_now(); 0: nothing is to be started */
    char *last_death;  /* a sentence, or NULL */
    bool has_served;
    bool is_replacing;
    bool has_elders;        /* processes of another master serve beside it */
    bool stopping, is_left; /* to others, who serve in its place */
    int exit_code;

    /* In a new process: closes what is the master's only. */
    void (*prepare)(void *owner);
    /* A worker says so: "ready", "reloading", "reloaded ...", "refused ...",
     * "pong", "signals ...". */
    void (*on_message)(const struct tg_link_message *message, void *owner);
    void *owner;
};

void tg_staff_init(struct tg_staff *staff, const struct tg_settings *settings);
void tg_staff_release(struct tg_staff *staff);

/* Starts a worker. */
void tg_staff_hire(struct tg_staff *staff);

/* Tells the worker that serves, or the one that will; `fd` stays the caller's,
 * -1: none.  False: there is none just now. */
bool tg_staff_tell(struct tg_staff *staff, int fd, const char *message);

/* Lets all of them go after the requests in flight; the second time: at once.
 * Nobody is started any more.  `is_replaced`: others serve in their place. */
void tg_staff_stop(struct tg_staff *staff, bool is_replaced);

/* Has the last one gone, and will nobody be started? */
bool tg_staff_has_gone(const struct tg_staff *staff);

/* Is it one of them? */
bool tg_staff_has(const struct tg_staff *staff, pid_t pid);

/* Fills in what to poll() for, TG_STAFF_MOST of them. */
void tg_staff_watch(const struct tg_staff *staff, struct pollfd *watched);

/* Milliseconds until something is due, or -1. */
int tg_staff_timeout(const struct tg_staff *staff);

/* Takes messages, buries the dead, and does what is due. */
void tg_staff_work(struct tg_staff *staff);

/* Has the worker that serves write what files keep of dictionaries, and waits
 * for that, but not for long: another process will read them. */
void tg_staff_save(struct tg_staff *staff);

/* Passes a signal on to the worker that serves, or the one that will. */
void tg_staff_signal(const struct tg_staff *staff, int number);

/* The process that serves, and how long for; 0: none. */
int tg_staff_pid(const struct tg_staff *staff, double *seconds);

#endif
