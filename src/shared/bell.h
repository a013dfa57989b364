// SPDX-License-Identifier: MIT
/*
 * A bell calls a thread: whoever rings it has the thread look at something.
 *
 * It belongs to the thread that runs the mailbox: new, forget and free are that
 * thread's.  Anyone may ring.  However often it is rung for one thing before
 * the thread comes, the thread looks once.
 */
#ifndef TG_SHARED_BELL_H
#define TG_SHARED_BELL_H

#include "base/list.h"

struct tg_bell;
struct tg_mailbox;

/* What is to be looked at; embed it, with `link` an empty list. */
struct tg_ring {
    struct tg_list link;
    void (*look)(struct tg_ring *ring); /* run by the mailbox's owner */
};

struct tg_bell *tg_bell_new(struct tg_mailbox *box);
void tg_bell_ring(struct tg_bell *bell, struct tg_ring *ring);

/* It will not be looked at, unless it is rung for again. */
void tg_bell_forget(struct tg_bell *bell, struct tg_ring *ring);

/* Nobody may ring any more, and the mailbox is not run any more. */
void tg_bell_free(struct tg_bell *bell);

#endif
