// SPDX-License-Identifier: MIT
/*
 * The connections of one loop to origins: those that rest until the next
 * request, those in use, and a line of whoever waits because an origin has as
 * many as it may.  They outlive generations: a reload closes none.
 *
 * An origin is a key: connections of equal keys are equal.
 */
#ifndef TG_HTTP_UPSTREAMS_H
#define TG_HTTP_UPSTREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct tg_dial;
struct tg_loop;
struct tg_origin;
struct tg_tls_trust;
struct tg_upstream;

/* Where to connect to.  Strings stay the caller's, until the ask is over. */
struct tg_upstream_target {
    const char *key;
    const char *host; /* a name or an address */
    uint16_t port;
    const char *unix_path;      /* instead of both; may be NULL */
    struct tg_tls_trust *trust; /* NULL: in the clear */
    const char *server;         /* the name of its certificate */
    unsigned most;              /* connections to this origin at once */
    double timeout;             /* seconds to connect in */
};

/* `u` is the callee's; or it is NULL, and why.  The ask is over. */
typedef void tg_ask_fn(struct tg_upstream *u, const char *message,
                       const char *code, void *arg);

/* Embed it; it belongs to upstreams.c between take and its end. */
struct tg_ask {
    struct tg_list link; /* in the origin's line */
    struct tg_origin *origin;
    struct tg_upstream_target target;
    struct tg_dial *dial;
    struct tg_upstream *opening; /* with neither, it waits in line */
    tg_ask_fn *fn;
    void *arg;
};

/*
 * A connection that rested, at once; or NULL, and `ask->fn` will hear. `fresh`:
 * only a new one will do.  `ask->target`, `fn` and `arg` are set.
 */
struct tg_upstream *tg_upstreams_take(struct tg_loop *loop, struct tg_ask *ask,
                                      bool fresh);

/* `fn` will not be called. */
void tg_upstreams_cancel(struct tg_ask *ask);

/* Gives one back.  It rests for `seconds` at most, if it can be used again;
 * 0: it is closed. */
void tg_upstreams_put(struct tg_upstream *u, double seconds);

#endif
