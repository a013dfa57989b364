// SPDX-License-Identifier: MIT
/*
 * Where a request comes from: what trusted proxies say of its client.  Pure.
 *
 * The list of addresses is walked from the right, from the proxy that is
 * connected to us.  As long as an address is trusted, so is what its owner has
 * added left of it; the first that is not is the client.
 */
#ifndef TG_HTTP_ORIGIN_H
#define TG_HTTP_ORIGIN_H

#include "base/trust.h"
#include "http/framing.h"

enum { TG_ORIGIN_PROXIES = 32 }; /* no longer chain is followed */

/* What the settings say of proxies. */
struct tg_proxies {
    struct tg_trust trust;
    bool forwarded;              /* they set Forwarded, or: */
    bool x_for, x_proto, x_host; /* X-Forwarded-* */
    const char *id_header;       /* NULL: none */
};

struct tg_settings;

/* Copies what is needed; `id_header` is the settings' own. */
void tg_proxies_init(struct tg_proxies *proxies,
                     const struct tg_settings *settings);

struct tg_origin {
    struct tg_address client;
    const char *scheme;  /* "http" or "https"; NULL: nothing is said */
    struct tg_span host; /* len 0: nothing is said */
};

/* Finds it in the head; `peer` is the trusted proxy that has sent it. */
void tg_origin_find(struct tg_origin *origin, const struct tg_proxies *proxies,
                    const struct tg_address *peer, const struct tg_head *head,
                    const char *bytes);

/* The last field of that lower-case name; false if there is none. */
bool tg_origin_last_field(const struct tg_head *head, const char *bytes,
                          const char *name, struct tg_span *value);

#endif
