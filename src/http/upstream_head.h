// SPDX-License-Identifier: MIT
/*
 * What is known of a response when its head has come.
 */
#ifndef TG_HTTP_UPSTREAM_HEAD_H
#define TG_HTTP_UPSTREAM_HEAD_H

#include <stdint.h>

#include "http/framing.h"
#include "http/headers.h"

struct tg_upstream_head {
    int status, minor;
    int64_t content_length; /* -1: it says none */
    struct tg_headers headers;
};

/* Copies it from a head that was parsed, and its bytes. */
void tg_upstream_head_read(struct tg_upstream_head *head,
                           const struct tg_head *parsed, const char *bytes);

/* For how many seconds the origin keeps the connection, as Keep-Alive says;
 * `most`: it does not say. */
double tg_upstream_head_keep(const struct tg_upstream_head *head, double most);

#endif
