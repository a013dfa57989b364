// SPDX-License-Identifier: MIT
/*
 * Who is at the other end of a connection: the address of its socket, or what
 * a trusted proxy says in a PROXY header before the first byte (private to this
 * folder).
 */
#ifndef TG_HTTP_PEER_H
#define TG_HTTP_PEER_H

#include <stdbool.h>

#include "base/address.h"

struct tg_connection;

struct tg_peer {
    struct tg_address socket;  /* who has connected */
    struct tg_address address; /* the same, or what its PROXY header says */
    bool is_trusted;    /* by trusted_proxies: its header fields are believed */
    bool awaits_header; /* a PROXY header is still to come */
};

/* Looks who has connected.  False: this one must not. */
bool tg_peer_begin(struct tg_connection *c);

/*
 * Receives what has come of the PROXY header from the socket itself, and not a
 * byte more: whatever comes next belongs to the stream.  Returns 0 when the
 * header is whole, -EAGAIN when more is needed, or another negative number if
 * the connection must be closed.
 */
int tg_peer_receive(struct tg_connection *c);

#endif
