// SPDX-License-Identifier: MIT
/*
 * Locks are taken in this order: the channel's, a bell's, a mailbox's.
 */
#include "shared/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/census.h"

struct message {
    size_t refs; /* queues it is in, and the publisher; of the channel's lock */
    size_t len;
    unsigned char type;
    char bytes[];
};

struct tg_channel {
    struct tg_channel *next;
    char *name;
    long refs; /* of the registry's lock */
    pthread_mutex_t lock;
    struct tg_list subscriptions;
};

struct tg_subscription {
    struct tg_list link; /* in its channel's, until it ends */
    struct tg_channel *channel;
    struct tg_bell *bell; /* NULL: it has ended */
    struct tg_ring ring;
    void (*look)(void *arg);
    void *arg;
    enum tg_channel_slow slow;
    bool overflowed;
    uint64_t lost;
    size_t room, first, count; /* of the queue, a ring */
    struct message *queue[];
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tg_channel *registry;

struct tg_channel *tg_channel_open(const char *name)
{
    struct tg_channel *channel;

    pthread_mutex_lock(&registry_lock);
    for (channel = registry; channel; channel = channel->next)
        if (strcmp(channel->name, name) == 0)
            break;
    if (!channel) {
        channel = tg_alloc(sizeof(*channel));
        channel->name = tg_strdup(name);
        pthread_mutex_init(&channel->lock, NULL);
        tg_list_init(&channel->subscriptions);
        channel->next = registry;
        registry = channel;
    }
    channel->refs++;
    pthread_mutex_unlock(&registry_lock);
    return channel;
}

void tg_channel_unref(struct tg_channel *channel)
{
    struct tg_channel **link = &registry;

    pthread_mutex_lock(&registry_lock);
    if (--channel->refs == 0) {
        while (*link != channel)
            link = &(*link)->next;
        *link = channel->next;
        pthread_mutex_destroy(&channel->lock);
        free(channel->name);
        free(channel);
    }
    pthread_mutex_unlock(&registry_lock);
}

/* --- queues; all of these want the channel's lock --- */

static void drop_message(struct message *message)
{
    if (--message->refs == 0)
        free(message);
}

static struct message *oldest(struct tg_subscription *subscription)
{
    return subscription->queue[subscription->first];
}

static void drop_oldest(struct tg_subscription *subscription)
{
    drop_message(oldest(subscription));
    subscription->first = (subscription->first + 1) % subscription->room;
    subscription->count--;
}

static void drop_all(struct tg_subscription *subscription)
{
    while (subscription->count)
        drop_oldest(subscription);
}

/* False: it was too slow, and has ended. */
static bool offer(struct tg_subscription *subscription, struct message *message)
{
    size_t end;

    tg_bell_ring(subscription->bell, &subscription->ring);
    if (subscription->count == subscription->room) {
        if (subscription->slow == TG_CHANNEL_END) {
            subscription->overflowed = true;
            drop_all(subscription);
            tg_list_remove(&subscription->link);
            return false;
        }
        drop_oldest(subscription);
        subscription->lost++;
    }
    end = (subscription->first + subscription->count) % subscription->room;
    subscription->queue[end] = message;
    subscription->count++;
    message->refs++;
    return true;
}

/* --- publishing --- */

size_t tg_channel_publish(struct tg_channel *channel,
                          const struct tg_dict_value *value)
{
    struct message *message = tg_realloc(NULL, sizeof(*message) + value->len);
    struct tg_list *link, *next;
    size_t count = 0;

    message->refs = 1;
    message->len = value->len;
    message->type = value->type;
    if (value->len)
        memcpy(message->bytes, value->data, value->len);
    pthread_mutex_lock(&channel->lock);
    for (link = channel->subscriptions.next; link != &channel->subscriptions;
         link = next) {
        next = link->next;
        count +=
            offer(tg_list_item(link, struct tg_subscription, link), message);
    }
    drop_message(message);
    pthread_mutex_unlock(&channel->lock);
    return count;
}

/* --- subscribing --- */

static void on_ring(struct tg_ring *ring)
{
    struct tg_subscription *subscription =
        tg_list_item(ring, struct tg_subscription, ring);

    subscription->look(subscription->arg);
}

struct tg_subscription *tg_subscription_new(struct tg_channel *channel,
                                            size_t queue,
                                            enum tg_channel_slow slow,
                                            struct tg_bell *bell,
                                            void (*look)(void *arg), void *arg)
{
    struct tg_subscription *subscription =
        tg_alloc(sizeof(*subscription) + queue * sizeof(*subscription->queue));

    pthread_mutex_lock(&registry_lock);
    channel->refs++;
    pthread_mutex_unlock(&registry_lock);
    subscription->channel = channel;
    subscription->bell = bell;
    subscription->ring.look = on_ring;
    tg_list_init(&subscription->ring.link);
    subscription->look = look;
    subscription->arg = arg;
    subscription->slow = slow;
    subscription->room = queue;
    pthread_mutex_lock(&channel->lock);
    tg_list_append(&channel->subscriptions, &subscription->link);
    pthread_mutex_unlock(&channel->lock);
    tg_census.subscriptions++;
    return subscription;
}

static int take(struct tg_subscription *subscription, void *room, size_t *len,
                unsigned char *type, uint64_t *lost)
{
    size_t size = *len;
    struct message *message;

    if (subscription->overflowed)
        return -EOVERFLOW;
    if (!subscription->count)
        return subscription->bell ? -EAGAIN : -EPIPE;
    message = oldest(subscription);
    *len = message->len;
    *type = message->type;
    if (message->len > size)
        return -ENOSPC;
    if (message->len)
        memcpy(room, message->bytes, message->len);
    *lost = subscription->lost;
    subscription->lost = 0;
    drop_oldest(subscription);
    return 0;
}

int tg_subscription_take(struct tg_subscription *subscription, void *room,
                         size_t *len, unsigned char *type, uint64_t *lost)
{
    int error;

    pthread_mutex_lock(&subscription->channel->lock);
    error = take(subscription, room, len, type, lost);
    pthread_mutex_unlock(&subscription->channel->lock);
    return error;
}

size_t tg_subscription_count(struct tg_subscription *subscription)
{
    size_t count;

    pthread_mutex_lock(&subscription->channel->lock);
    count = subscription->count;
    pthread_mutex_unlock(&subscription->channel->lock);
    return count;
}

void tg_subscription_end(struct tg_subscription *subscription)
{
    struct tg_bell *bell = subscription->bell;

    pthread_mutex_lock(&subscription->channel->lock);
    tg_list_remove(&subscription->link);
    subscription->bell = NULL;
    pthread_mutex_unlock(&subscription->channel->lock);
    if (bell)
        tg_bell_forget(bell, &subscription->ring);
}

void tg_subscription_free(struct tg_subscription *subscription)
{
    tg_subscription_end(subscription);
    pthread_mutex_lock(&subscription->channel->lock);
    drop_all(subscription);
    pthread_mutex_unlock(&subscription->channel->lock);
    tg_channel_unref(subscription->channel);
    tg_census.subscriptions--;
    free(subscription);
}
