// SPDX-License-Identifier: MIT
/*
 * A mailbox is how one thread has another run something.
 *
 * It belongs to the thread that runs what is posted, its owner: new, fd, run,
 * wait and free are the owner's.  Anyone may post.  Messages of one sender run
 * in the order they were posted.
 */
#ifndef TG_SHARED_MAILBOX_H
#define TG_SHARED_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct tg_mailbox;

typedef void tg_mailbox_fn(void *arg);

/* NULL, with errno, if the process has no descriptor left. */
struct tg_mailbox *tg_mailbox_new(void);

/* Has the owner call `fn` with `arg`, some time soon. */
void tg_mailbox_post(struct tg_mailbox *box, tg_mailbox_fn *fn, void *arg);

/* A descriptor that is readable exactly while a message is there; for the
 * owner's loop to watch, not to read. */
int tg_mailbox_fd(const struct tg_mailbox *box);

/* Runs the messages that are there now; those posted meanwhile wait for the
 * next run.  Returns how many there were. */
size_t tg_mailbox_run(struct tg_mailbox *box);

/* Blocks until a message is there, or the time is up; a negative time never
 * is.  Returns whether one is there. */
bool tg_mailbox_wait(struct tg_mailbox *box, double seconds);

/* Nobody may post any more.  Messages left are forgotten; what their `arg`
 * points at stays the sender's. */
void tg_mailbox_free(struct tg_mailbox *box);

#endif
