// SPDX-License-Identifier: MIT
/*
 * The header of the PROXY protocol, versions 1 and 2: what a proxy says of its
 * client before the connection's first byte.  Strict, and pure: no socket, no
 * allocation.
 */
#ifndef TG_HTTP_PROXY_H
#define TG_HTTP_PROXY_H

#include <sys/types.h>

#include "base/address.h"

enum {
    TG_PROXY_LINE = 107, /* the longest header of version 1, with its CRLF */
    TG_PROXY_SIZE = 4096 /* a longer one of version 2 is refused */
};

/*
 * Parses the header at the start of `data`.  Returns its length, 0 if all of
 * the bytes belong to it and more are needed, or -1: it is none.  `client` is
 * left alone if the header names nobody: UNKNOWN, LOCAL, UNSPEC, datagrams.
 *
 * Of version 2's extensions the lengths and the checksum are checked.
 */
ssize_t tg_proxy_parse(struct tg_address *client, const char *data, size_t len);

#endif
