// SPDX-License-Identifier: MIT
#include "worker/caller.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

void tg_caller_answer(int fd, bool ok, const char *text)
{
    struct tg_text out = {0};

    tg_text_addf(&out, "%s\n%s", ok ? "ok" : "failed", text);
    if (send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        /* it did not wait for the answer */
    }
    tg_text_release(&out);
    close(fd);
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
    struct waiting *waiting = tg_alloc(sizeof(*waiting));

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
