// SPDX-License-Identifier: MIT
/*
 * The process that serves: its threads, its loader, its signals, and the link
 * to the master, which made it.
 *
 * What the master says, a descriptor with it in ():
 *
 *     reload [(caller)]    status (caller)    status-json (caller)
 *     reopen               the access log
 *     stop                 twice: at once
 *     leave                another worker serves, so there is no hurry
 *     save                 what files keep: another worker will read them
 *     signals              they are passed on
 *     ping
 *
 * What the worker says:
 *
 *     bundle GENERATION (copy)    these sources serve now
 *     signals MASK                handlers ask for them; in hexadecimal
 *     ready                       it takes requests
 *     reloading    reloaded REPORT    refused REPORT
 *     replace WHY                 a thread is lost
 *     saved    pong
 */
#ifndef TG_WORKER_WORKER_H
#define TG_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

struct tg_blackbox;
struct tg_settings;

/* The listening sockets of one address. */
struct tg_listening {
    const char *url; /* "http://127.0.0.1:8080", "unix:/run/tidegate" */
    const int *fds;
    int count;
};

/* What a worker gets from the master; all of it stays as it is meanwhile, but
 * the sockets are the worker's. */
struct tg_worker_place {
    const struct tg_settings *settings;
    const struct tg_listening
        *listeners; /* of settings->listen, in its order */
    int nlisteners;
    int link;
    struct tg_blackbox *blackbox;
    int bundle;          /* a copy to begin with, or -1: from the files */
    uint64_t generation; /* whose it is */
    int restarts;        /* how many workers have died before; */
    bool is_quiet;       /* it is not the first: says nothing of addresses */
    bool has_elders;     /* another worker may serve beside it for a while */
};

/* Serves until it is told to stop; returns the exit code. */
int tg_worker_run(const struct tg_worker_place *place);

#endif
