// SPDX-License-Identifier: MIT
/*
 * Who is trusted: a list of networks, and perhaps unix sockets.  Zeroed it is
 * nobody.
 */
#ifndef TG_BASE_TRUST_H
#define TG_BASE_TRUST_H

#include <stdbool.h>

#include "base/address.h"

enum { TG_TRUST_MOST = 256 };

struct tg_trust {
    int count;
    bool unix_sockets;
    struct tg_network networks[TG_TRUST_MOST];
};

/* Adds an address, a network, "loopback", "private" or "unix"; false if it is
 * none of these, or one too many. */
bool tg_trust_add(struct tg_trust *trust, const char *text);

bool tg_trust_is_empty(const struct tg_trust *trust);
bool tg_trust_has(const struct tg_trust *trust,
                  const struct tg_address *address);

#endif
