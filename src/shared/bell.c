// SPDX-License-Identifier: MIT
#include "shared/bell.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "shared/mailbox.h"

struct tg_bell {
    pthread_mutex_t lock;
    struct tg_mailbox *box;
    struct tg_list rung;
    bool posted; /* the mailbox has a message that is not run yet */
};

struct tg_bell *tg_bell_new(struct tg_mailbox *box)
{
    struct tg_bell *bell = tg_alloc(sizeof(*bell));

    pthread_mutex_init(&bell->lock, NULL);
    bell->box = box;
    tg_list_init(&bell->rung);
    return bell;
}

static struct tg_ring *take(struct tg_bell *bell, struct tg_list *from)
{
    struct tg_list *link;

    pthread_mutex_lock(&bell->lock);
    link = from->next;
    tg_list_remove(link);
    pthread_mutex_unlock(&bell->lock);
    return link == from ? NULL : tg_list_item(link, struct tg_ring, link);
}

/* What is rung for meanwhile waits for the next run. */
static void answer(void *arg)
{
    struct tg_bell *bell = arg;
    struct tg_list now;
    struct tg_ring *ring;

    tg_list_init(&now);
    pthread_mutex_lock(&bell->lock);
    bell->posted = false;
    if (!tg_list_empty(&bell->rung)) {
        now = bell->rung;
        now.next->prev = now.prev->next = &now;
        tg_list_init(&bell->rung);
    }
    pthread_mutex_unlock(&bell->lock);
    while ((ring = take(bell, &now)))
        ring->look(ring);
}

void tg_bell_ring(struct tg_bell *bell, struct tg_ring *ring)
{
    pthread_mutex_lock(&bell->lock);
    if (tg_list_empty(&ring->link))
        tg_list_append(&bell->rung, &ring->link);
    if (!bell->posted)
        tg_mailbox_post(bell->box, answer, bell);
    bell->posted = true;
    pthread_mutex_unlock(&bell->lock);
}

void tg_bell_forget(struct tg_bell *bell, struct tg_ring *ring)
{
    pthread_mutex_lock(&bell->lock);
    tg_list_remove(&ring->link);
    pthread_mutex_unlock(&bell->lock);
}

void tg_bell_free(struct tg_bell *bell)
{
    pthread_mutex_destroy(&bell->lock);
    free(bell);
}
