// SPDX-License-Identifier: MIT
/*
 * Conditional requests (RFC 9110, section 13): does the client want what there
 * is, or has it that already?  Pure.
 */
#ifndef TG_HTTP_CONDITION_H
#define TG_HTTP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_head;

/* What tells one state of the content from another (8.8). */
struct tg_validators {
    const char *etag; /* with its quotes; NULL: none */
    size_t etag_len;
    int64_t modified; /* a date in seconds; -1: none */
    int64_t now;
};

/*
 * Weighs the conditions of a GET or HEAD request in the order of 13.2.2.
 * Returns 0 if it is to be answered as if it had none, or the status that
 * answers it: 304 or 412.  `bytes` are those the head's spans point into.
 */
int tg_condition_weigh(const struct tg_head *head, const char *bytes,
                       const struct tg_validators *validators);

/* Does If-Range, if there is one, let the Range field count (13.1.5)? */
bool tg_condition_lets_range(const struct tg_head *head, const char *bytes,
                             const struct tg_validators *validators);

#endif
