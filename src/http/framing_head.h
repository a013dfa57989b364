// SPDX-License-Identifier: MIT
/*
 * What request and response heads have in common (private to framing): lines,
 * the version, and the fields that frame.  Each function that reads returns 0
 * or the status that refuses.
 */
#ifndef TG_HTTP_FRAMING_HEAD_H
#define TG_HTTP_FRAMING_HEAD_H

#include "http/framing.h"

/* What the lines have said so far. */
struct tg_sayings {
    bool host, length, coding, other_coding, close;
};

/* "HTTP/1.1": also sets what that says of keep-alive. */
int tg_head_read_version(struct tg_head *head, const char *at, size_t len);

/* One of the fields that say how the content ends, and whether the connection
 * does; others say nothing. */
int tg_head_read_field(struct tg_head *head, struct tg_sayings *said,
                       const struct tg_field *field, const char *data);

/* Finds the line at `start`.  Returns where the next one begins, 0 if it is
 * not whole, or minus a status; `*end` is where its content ends. */
ssize_t tg_head_find_line(const char *data, size_t len, size_t start,
                          size_t *end, const struct tg_head_limits *limits);

/* Has no line become whole since the bytes were scanned?  So bytes that drip
 * in cost one look each, not a whole parse. */
bool tg_head_is_unchanged(const char *data, size_t len, size_t start,
                          size_t scanned, const struct tg_head_limits *limits);

#endif
