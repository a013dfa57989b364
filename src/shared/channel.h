// SPDX-License-Identifier: MIT
/*
 * A channel takes values from any thread to all who have subscribed.
 *
 * Channels have names, as dicts do.  A subscription has a queue of so many
 * values, which nobody but its owner takes from; the owner's bell rings when
 * there is something to take.  A value is in memory once, however many queues
 * it is in.
 */
#ifndef TG_SHARED_CHANNEL_H
#define TG_SHARED_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "shared/bell.h"
#include "shared/dict.h"

struct tg_channel;
struct tg_subscription;

/* What becomes of a subscription whose queue is full: it loses the oldest
 * value, or it ends. */
enum tg_channel_slow { TG_CHANNEL_DROP, TG_CHANNEL_END };

/* Finds the channel `name`, or makes it.  Pair each call with
 * tg_channel_unref(). */
struct tg_channel *tg_channel_open(const char *name);
void tg_channel_unref(struct tg_channel *channel);

/* From any thread.  Copies the value; returns how many subscriptions have
 * it. */
size_t tg_channel_publish(struct tg_channel *channel,
                          const struct tg_dict_value *value);

/* A subscription of the thread that owns the bell; the functions below are its
 * alone.  `look` is called, with `arg`, when there is something to take. */
struct tg_subscription *tg_subscription_new(struct tg_channel *channel,
                                            size_t queue,
                                            enum tg_channel_slow slow,
                                            struct tg_bell *bell,
                                            void (*look)(void *arg), void *arg);

/*
 * Takes the oldest value, as tg_dict_get() copies it, and tells how many were
 * lost before it.  Returns 0, -ENOSPC, -EAGAIN if there is none yet, -EPIPE if
 * it has ended and there is none, or -EOVERFLOW if it was too slow.
 */
int tg_subscription_take(struct tg_subscription *subscription, void *room,
                         size_t *len, unsigned char *type, uint64_t *lost);

/* How many values wait in its queue. */
size_t tg_subscription_count(struct tg_subscription *subscription);

/* No more values come; those in the queue may be taken.  The bell is not used
 * any more. */
void tg_subscription_end(struct tg_subscription *subscription);

void tg_subscription_free(struct tg_subscription *subscription);

#endif
