// SPDX-License-Identifier: MIT
/*
 * Callers: who has sent a command to the control socket and waits for its
 * answer.  An answer is "ok\n" or "failed\n", then text, and then a NUL: what
 * has none was cut off.
 */
#ifndef TG_WORKER_CALLER_H
#define TG_WORKER_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Sends all of it, if the caller takes it within two seconds. */
void tg_caller_send(int fd, const char *data, size_t len);

/* Sends the last part of an answer, ends it, and closes. */
void tg_caller_end(int fd, const char *data, size_t len);

/* Answers and closes; -1 is nobody. */
void tg_caller_answer(int fd, bool ok, const char *text);

/* Those that wait for a reload. */
struct tg_callers {
    struct tg_list waiting;
};

void tg_callers_init(struct tg_callers *callers);

/* Takes the descriptor of one that waits for this request; -1 is nobody. */
void tg_callers_add(struct tg_callers *callers, int fd, uint64_t request);

/* Answers all that wait for a request up to this one. */
void tg_callers_answer(struct tg_callers *callers, uint64_t request, bool ok,
                       const char *text);

void tg_callers_release(struct tg_callers *callers);

#endif
