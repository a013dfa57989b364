// SPDX-License-Identifier: MIT
#include "worker/caller.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

void tg_callers_add(struct tg_callers *callers, int fd, uint64_t request)
{
    int i;

    for (i = 0; i < TG_CALLERS_MOST; i++) {
        if (callers->waiting[i].request)
            continue;
        callers->waiting[i].fd = fd;
        callers->waiting[i].request = request;
        return;
    }
    tg_caller_answer(fd, false, "too many wait for a reload\n");
}

void tg_callers_answer(struct tg_callers *callers, uint64_t request, bool ok,
                       const char *text)
{
    int i;

    for (i = 0; i < TG_CALLERS_MOST; i++) {
        uint64_t waits = callers->waiting[i].request;

        if (!waits || waits > request)
            continue;
        callers->waiting[i].request = 0;
        tg_caller_answer(callers->waiting[i].fd, ok, text);
    }
}

void tg_callers_release(struct tg_callers *callers)
{
    int i;

    for (i = 0; i < TG_CALLERS_MOST; i++)
        if (callers->waiting[i].request)
            close(callers->waiting[i].fd);
    memset(callers, 0, sizeof(*callers));
}
