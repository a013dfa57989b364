// SPDX-License-Identifier: MIT
/*
 * The file of hosts, /etc/hosts: names that are known without asking.  It is
 * read again when it has changed, a second later at most.
 */
#ifndef TG_NET_HOSTS_H
#define TG_NET_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

struct tg_hosts;

struct tg_hosts *tg_hosts_new(const char *path);
void tg_hosts_free(struct tg_hosts *hosts);

/* Does it know the name, in lower case?  Fills in up to `most` of its addresses
 * of that family, maybe none. */
bool tg_hosts_find(struct tg_hosts *hosts, const char *name, bool is_ipv4,
                   struct tg_address *addresses, size_t most, size_t *count);

/* The first name of an address, until the file changes; or NULL. */
const char *tg_hosts_name(struct tg_hosts *hosts,
                          const struct tg_address *address);

#endif
