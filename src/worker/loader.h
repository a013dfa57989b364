// SPDX-License-Identifier: MIT
/*
 * The loader: the thread that makes generations and closes them.
 *
 * A reload is a transaction: snapshot, build, warm up, commit; whatever fails
 * before the commit changes nothing.  Reloads are made one after another, and
 * requests that came while one was under way are answered by one more.
 */
#ifndef TG_WORKER_LOADER_H
#define TG_WORKER_LOADER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct tg_bundle;
struct tg_common;
struct tg_mailbox;
struct tg_thread;

/* The outcome of one reload, posted to the main mailbox; free it with
 * tg_outcome_free(). */
struct tg_outcome {
    bool ok;
    uint64_t request;         /* it answers all requests up to this one */
    uint64_t generation;      /* the one that serves now */
    struct tg_text report;    /* for people: one line, or the errors */
    struct tg_text routes;    /* a table, of the first one only */
    struct tg_bundle *bundle; /* what it loaded, if it is ok */
    uint64_t signals;         /* that its files ask for */
    void *owner;
};

void tg_outcome_free(struct tg_outcome *outcome);

struct tg_loader {
    pthread_t handle;
    struct tg_common *common;
    struct tg_mailbox *mailbox;
    struct tg_thread *threads;
    int nthreads;
    struct tg_bundle *bundle;   /* of the serving generation */
    struct tg_bundle *restored; /* for the first one, in place of the files */
    _Atomic uint64_t wanted;    /* the newest request */
    uint64_t done;              /* the newest that was answered */
    int waiting_for;            /* threads that prepare, in this attempt */
    uint64_t attempts;
    uint64_t *exhausted; /* by thread: the generation to load again, or 0 */
    bool stopping;
    bool is_lost; /* the main thread's: it is in a call that does not return */
    void (*on_outcome)(void *outcome); /* run in the main mailbox */
    void *owner;
};

void tg_loader_start(struct tg_loader *loader);

/* Asks for a reload that reads the files after this moment; returns the number
 * of the request. */
uint64_t tg_loader_request(struct tg_loader *loader);

/* For its mailbox: the state of this slot, which serves, is full for good; its
 * thread is to have a fresh one of the same generation. */
void tg_loader_renew(void *slot);

/* Asks its thread to end; a reload under way is given up. */
void tg_loader_stop(struct tg_loader *loader);

/* Has it ended, or is it lost?  After true it must not be asked again. */
bool tg_loader_has_ended(struct tg_loader *loader);

/* After the serving threads have ended: closes the apps that came last. */
void tg_loader_free(struct tg_loader *loader);

#endif
