// SPDX-License-Identifier: MIT
/*
 * The name of a host, as DNS takes it (RFC 1035, 2.3.4; RFC 1123, 2.1).  Pure.
 *
 * Labels of letters, digits, "-" and "_", 63 bytes at most, with a dot between
 * two; 253 bytes in all.  A dot at the end says that the name is complete.
 */
#ifndef TG_NET_HOST_NAME_H
#define TG_NET_HOST_NAME_H

#include <stdbool.h>

enum { TG_HOST_NAME = 254 }; /* the longest, with its NUL */

/* Writes it in lower case and without the dot at its end; false: it is no name
 * of a host. */
bool tg_host_name_read(const char *text, char room[TG_HOST_NAME],
                       bool *is_complete);

/* Is it "localhost" or below that (RFC 6761, 6.3)?  For names as read. */
bool tg_host_name_is_local(const char *name);

#endif
