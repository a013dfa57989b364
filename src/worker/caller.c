// SPDX-License-Identifier: MIT
#include "worker/caller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

enum { PATIENCE = 2 }; /* seconds */

void tg_caller_send(int fd, const char *data, size_t len)
{
    double until = tg_clock_now() + PATIENCE;
    struct pollfd room = {fd, POLLOUT, 0};

    while (len && tg_clock_now() < until) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN || poll(&room, 1, PATIENCE * 1000) <= 0) {
            return; /* it did not wait for the answer */
        }
    }
}

void tg_caller_end(int fd, const char *data, size_t len)
{
    tg_caller_send(fd, data, len);
    tg_caller_send(fd, "", 1);
    close(fd);
}

void tg_caller_answer(int fd, bool ok, const char *text)
{
    struct tg_text out = {0};

    if (fd < 0)
        return;
    tg_text_addf(&out, "%s\n%s", ok ? "ok" : "failed", text);
    tg_caller_end(fd, out.data, out.len);
    tg_text_release(&out);
}

struct waiting {
    struct tg_list link;
    int fd;
    uint64_t request;
};

void tg_callers_init(struct tg_callers *callers)
{
    tg_list_init(&callers->waiting);
}

void tg_callers_add(struct tg_callers *callers, int fd, uint64_t request)
{
    struct waiting *waiting;

    if (fd < 0)
        return;
    waiting = tg_alloc(sizeof(*waiting));
    waiting->fd = fd;
    waiting->request = request;
    tg_list_append(&callers->waiting, &waiting->link);
}

/* Its descriptor is the caller's now. */
static int forget(struct waiting *waiting)
{
    int fd = waiting->fd;

    tg_list_remove(&waiting->link);
    free(waiting);
    return fd;
}

void tg_callers_answer(struct tg_callers *callers, uint64_t request, bool ok,
                       const char *text)
{
    struct tg_list *link, *next;

    for (link = callers->waiting.next; link != &callers->waiting; link = next) {
        struct waiting *waiting = tg_list_item(link, struct waiting, link);

        next = link->next;
        if (waiting->request <= request)
            tg_caller_answer(forget(waiting), ok, text);
    }
}

void tg_callers_release(struct tg_callers *callers)
{
    while (!tg_list_empty(&callers->waiting))
        close(
            forget(tg_list_item(callers->waiting.next, struct waiting, link)));
}
