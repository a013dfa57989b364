// SPDX-License-Identifier: MIT
/*
 * A socket for datagrams (UDP) of IPv4 or IPv6.  It belongs to its loop and is
 * counted in the census.  Functions return 0 or -errno.
 */
#ifndef TG_NET_DATAGRAM_H
#define TG_NET_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/address.h"

enum { TG_DATAGRAM_MOST = 65535 }; /* bytes */

struct tg_datagram;
struct tg_loop;

typedef void tg_datagram_fn(void *arg);

int tg_datagram_new(struct tg_loop *loop, bool is_ipv4,
                    struct tg_datagram **datagram);
void tg_datagram_free(struct tg_datagram *datagram);

bool tg_datagram_is_ipv4(const struct tg_datagram *datagram);

/* Port 0: one of the system's choice. */
int tg_datagram_bind(struct tg_datagram *datagram,
                     const struct tg_address *address);

/* From here on datagrams go to and come from that address only. */
int tg_datagram_connect(struct tg_datagram *datagram,
                        const struct tg_address *address);

/* `to` is NULL for whom it is connected to. */
int tg_datagram_send(struct tg_datagram *datagram, const void *data, size_t len,
                     const struct tg_address *to);

/* Receives one into `room`, of TG_DATAGRAM_MOST bytes; its length, or -errno;
 * -EAGAIN: there is none. */
ssize_t tg_datagram_receive(struct tg_datagram *datagram, char *room,
                            struct tg_address *from);

/* Calls `fn` once, in the loop, when there may be one; NULL: not so. */
void tg_datagram_on_receive(struct tg_datagram *datagram, tg_datagram_fn *fn,
                            void *arg);

/* Its own address; false: it has none yet. */
bool tg_datagram_local(const struct tg_datagram *datagram,
                       struct tg_address *address);

#endif
