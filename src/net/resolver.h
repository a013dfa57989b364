// SPDX-License-Identifier: MIT
/*
 * A resolver: asks name servers, by libevent's evdns, and remembers what they
 * said as long as they allow.  Each belongs to its loop.
 *
 * A question that is being asked is not asked again: who asks the same hears
 * the same answer.  "localhost" is never asked for (RFC 6761).
 */
#ifndef TG_NET_RESOLVER_H
#define TG_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

struct tg_loop;
struct tg_lookup;
struct tg_resolver;

enum tg_lookup_type { TG_LOOKUP_A, TG_LOOKUP_AAAA, TG_LOOKUP_PTR };

struct tg_answer {
    /* NULL, or why there is none.  Codes: "nxdomain" there is no such name,
     * "nodata" it has nothing of that type, "timeout", "servfail", "refused",
     * "truncated" too long for a datagram, "noserver" there is nobody to ask,
     * "badname" it is no name or address, "failed". */
    const char *code, *message;
    unsigned ttl; /* seconds it stays true */
    size_t count;
    const struct tg_address *addresses; /* of A and AAAA */
    const char *name;                   /* of PTR */
};

/* `answer` is valid during the call.  The lookup is over. */
typedef void tg_lookup_fn(const struct tg_answer *answer, void *arg);

/* The servers the gateway asks, as tg_address_parse_port() reads them, a list
 * that ends with NULL and stays; empty: the system's (/etc/resolv.conf).  Once,
 * before all that is kept with the loop and may look names up. */
void tg_resolver_configure(struct tg_loop *loop, char *const *servers);

/* May it be asked for? */
bool tg_resolver_is_name(const char *text);

/* The gateway's resolver: /etc/hosts, then the servers. */
struct tg_resolver *tg_resolver_of(struct tg_loop *loop);

/*
 * One that asks these servers only, and not /etc/hosts; NULL: the gateway's
 * servers.  `search`: domains to try a name in; NULL: those of
 * /etc/resolv.conf.  Lists end with NULL.  Few are kept; NULL: too many are at
 * work.
 */
struct tg_resolver *tg_resolver_with(struct tg_loop *loop,
                                     const char *const *servers,
                                     const char *const *search);

/* `name` is copied; an address for TG_LOOKUP_PTR.  `timeout` in seconds; <= 0:
 * as long as the servers are waited for.  `fn` is never called before this
 * returns. */
struct tg_lookup *tg_lookup_start(struct tg_resolver *resolver,
                                  const char *name, enum tg_lookup_type type,
                                  bool searches, double timeout,
                                  tg_lookup_fn *fn, void *arg);

/* `fn` will not be called. */
void tg_lookup_cancel(struct tg_lookup *lookup);

#endif
