// SPDX-License-Identifier: MIT
/*
 * Callers: who has sent a command to the control socket and waits for its
 * answer.  An answer is "ok\n" or "failed\n" and then text, up to the end of
 * the connection.
 */
#ifndef TG_WORKER_CALLER_H
#define TG_WORKER_CALLER_H

#include <stdbool.h>
#include <stdint.h>

/* Answers and closes. */
void tg_caller_answer(int fd, bool ok, const char *text);

enum { TG_CALLERS_MOST = 16 };

/* Those that wait for a reload; zeroed it is empty. */
struct tg_callers {
    struct {
        int fd;
        uint64_t request; /* 0: this place is free */
    } waiting[TG_CALLERS_MOST];
};

/* Takes the descriptor; answers at once if too many wait. */
void tg_callers_add(struct tg_callers *callers, int fd, uint64_t request);

/* Answers all that wait for a request up to this one. */
void tg_callers_answer(struct tg_callers *callers, uint64_t request, bool ok,
                       const char *text);

void tg_callers_release(struct tg_callers *callers);

#endif
