// SPDX-License-Identifier: MIT
/*
 * What an upstream is made of (private to upstream.c and upstream_intake.c).
 */
#ifndef TG_HTTP_UPSTREAM_PARTS_H
#define TG_HTTP_UPSTREAM_PARTS_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "http/framing.h"
#include "http/upstream.h"
#include "net/stream.h"

enum { TG_UPSTREAM_SEND = 256 * 1024 }; /* bytes sent at once */

struct tg_upstream {
    struct tg_stream stream;
    struct event read, write;
    bool reading, writing;
    tg_upstream_fn *lost;
    void *lost_arg;

    enum tg_upstream_state state;
    const char *code, *message; /* of its failure */
    bool is_head;               /* of the request */
    bool is_sent;               /* the request is whole */
    bool is_deaf;               /* the origin takes no more of it */
    bool was_used;              /* by an earlier request */
    bool has_answered;          /* a byte of the response has come */
    bool is_dirty;              /* it cannot be used again */
    unsigned interim;

    struct tg_text in; /* that is not whole enough to be used */
    size_t scanned;
    struct tg_body body;
    struct tg_upstream_head head;
    double keep;
    struct tg_buffer *content, *out;
    struct tg_text trailers;
    tg_upstream_fn *fn;
    void *arg;
};

/* Events of its socket. */
void tg_upstream_readable(evutil_socket_t fd, short what, void *arg);
void tg_upstream_writable(evutil_socket_t fd, short what, void *arg);

/* Waits for what it needs of its socket. */
void tg_upstream_flow(struct tg_upstream *u);

/* Sends some of what waits. */
void tg_upstream_flush(struct tg_upstream *u);

/* Goes on with the TLS handshake. */
void tg_upstream_shake(struct tg_upstream *u);

#endif
