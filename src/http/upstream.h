// SPDX-License-Identifier: MIT
/*
 * An upstream: one connection to an origin, on which one request at a time is
 * sent and its response received, strictly.
 *
 * The request goes out as it is given; what the socket does not take waits.
 * The response is taken as it comes, whenever it comes; content that nobody
 * takes stops receiving.  Whoever wants to know watches: it hears once of the
 * next thing that happens, and looks at the state then.  All of it belongs to
 * its loop's thread.
 */
#ifndef TG_HTTP_UPSTREAM_H
#define TG_HTTP_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "http/upstream_head.h"

struct tg_buffer;
struct tg_loop;
struct tg_tls_trust;
struct tg_upstream;

enum tg_upstream_state {
    TG_UPSTREAM_IDLE,    /* no request is open */
    TG_UPSTREAM_OPENING, /* TLS begins */
    TG_UPSTREAM_ASKED,   /* the head of the response has not come */
    TG_UPSTREAM_CONTENT, /* it has, and content is still to come */
    TG_UPSTREAM_DONE,    /* the response is whole */
    TG_UPSTREAM_FAILED
};

typedef void tg_upstream_fn(void *arg);

/* Takes the connected descriptor.  `lost` is told, once, that an idle one has
 * ended. */
struct tg_upstream *tg_upstream_new(struct tg_loop *loop, int fd,
                                    tg_upstream_fn *lost, void *arg);
void tg_upstream_free(struct tg_upstream *u);

/* Speaks TLS from here on: opening, then idle, or failed. */
void tg_upstream_start_tls(struct tg_upstream *u, struct tg_tls_trust *trust,
                           const char *server);

/* The argument of `lost`. */
void *tg_upstream_owner(const struct tg_upstream *u);

/* The next request begins; `is_head`: its response has no content. */
void tg_upstream_ask(struct tg_upstream *u, bool is_head);

/* More of the request, as it goes over the wire. */
void tg_upstream_send(struct tg_upstream *u, const void *data, size_t len);
void tg_upstream_send_buffer(struct tg_upstream *u, struct tg_buffer *data);

/* There is no more of it. */
void tg_upstream_sent(struct tg_upstream *u);

/* Bytes of the request that the socket has not taken yet; 0 too once nobody
 * will. */
size_t tg_upstream_unsent(const struct tg_upstream *u);

enum tg_upstream_state tg_upstream_state(const struct tg_upstream *u);

/* What went wrong: a code, and a message for people. */
const char *tg_upstream_failure(const struct tg_upstream *u,
                                const char **message);

/* Was the connection used before, and closed before any byte of this response?
 * Then the origin need not have seen the request. */
bool tg_upstream_is_stale(const struct tg_upstream *u);

/* Once, when the head has come. */
void tg_upstream_take_head(struct tg_upstream *u,
                           struct tg_upstream_head *head);

/* Moves the content that has come; receiving goes on. */
void tg_upstream_take_content(struct tg_upstream *u, struct tg_buffer *to);

/* The field lines behind the content. */
void tg_upstream_take_trailers(struct tg_upstream *u, struct tg_text *to);

/* May it be used again, now that the response is whole?  For how many seconds
 * it is to be kept at most: 0: it is to be closed. */
double tg_upstream_keep(const struct tg_upstream *u);

/* Between requests: has nothing come, and no end? */
bool tg_upstream_is_fresh(struct tg_upstream *u);

/* The response is whole and taken: no request is open any more. */
void tg_upstream_rest(struct tg_upstream *u);

/* One watcher; NULL ends it. */
bool tg_upstream_is_watched(const struct tg_upstream *u);
void tg_upstream_watch(struct tg_upstream *u, tg_upstream_fn *fn, void *arg);

#endif
