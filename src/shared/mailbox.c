// SPDX-License-Identifier: MIT
#include "shared/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

struct message {
    struct message *next;
    tg_mailbox_fn *fn;
    void *arg;
};

/*
 * The descriptor is signalled and cleared under the lock, together with the
 * list.  So it never wakes the owner for nothing, and a sender is done with
 * the box before the owner sees its message, and may free the box on it.
 */
struct tg_mailbox {
    pthread_mutex_t lock;
    struct message *first, **end;
    int fd;
};

struct tg_mailbox *tg_mailbox_new(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct tg_mailbox *box;

    if (fd < 0)
        return NULL;
    box = tg_alloc(sizeof(*box));
    pthread_mutex_init(&box->lock, NULL);
    box->end = &box->first;
    box->fd = fd;
    return box;
}

void tg_mailbox_post(struct tg_mailbox *box, tg_mailbox_fn *fn, void *arg)
{
    struct message *message = tg_alloc(sizeof(*message));

    message->fn = fn;
    message->arg = arg;
    pthread_mutex_lock(&box->lock);
    if (!box->first)
        eventfd_write(box->fd, 1);
    *box->end = message;
    box->end = &message->next;
    pthread_mutex_unlock(&box->lock);
}

int tg_mailbox_fd(const struct tg_mailbox *box)
{
    return box->fd;
}

static struct message *take_all(struct tg_mailbox *box)
{
    struct message *first;
    eventfd_t count;

    pthread_mutex_lock(&box->lock);
    first = box->first;
    if (first)
        eventfd_read(box->fd, &count);
    box->first = NULL;
    box->end = &box->first;
    pthread_mutex_unlock(&box->lock);
    return first;
}

size_t tg_mailbox_run(struct tg_mailbox *box)
{
    struct message *message = take_all(box), *next;
    size_t count = 0;

    for (; message; message = next, count++) {
        next = message->next;
        message->fn(message->arg);
        free(message);
    }
    return count;
}

static struct timespec timespec_of(double seconds)
{
    struct timespec time;

    if (seconds < 0)
        seconds = 0;
    if (seconds > 1e9)
        seconds = 1e9;
    time.tv_sec = (time_t)seconds;
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    return time;
}

bool tg_mailbox_wait(struct tg_mailbox *box, double seconds)
{
    struct pollfd poll_fd = {.fd = box->fd, .events = POLLIN};
    double end = tg_clock_now() + seconds;
    int ready;

    do { /* again after a signal */
        struct timespec left = timespec_of(end - tg_clock_now());

        ready = ppoll(&poll_fd, 1, seconds < 0 ? NULL : &left, NULL);
    } while (ready < 0);
    return ready > 0;
}

void tg_mailbox_free(struct tg_mailbox *box)
{
    struct message *message = take_all(box);

    while (message) {
        struct message *next = message->next;

        free(message);
        message = next;
    }
    close(box->fd);
    pthread_mutex_destroy(&box->lock);
    free(box);
}
