// SPDX-License-Identifier: MIT
/*
 * DNS names, each with the number of the certificate that is for it: what a
 * client asks for by SNI is looked up here.  Zeroed there are none.
 */
#ifndef TG_NET_TLS_NAMES_H
#define TG_NET_TLS_NAMES_H

#include <stddef.h>
#include <sys/types.h>

struct tg_tls_name {
    char *text; /* "a.example", "*.example", in lower case */
    size_t number;
};

struct tg_tls_names {
    struct tg_tls_name *list;
    size_t count;
};

void tg_tls_names_release(struct tg_tls_names *names);

void tg_tls_names_add(struct tg_tls_names *names, const char *text, size_t len,
                      size_t number);

/* Once, after the last name was added. */
void tg_tls_names_sort(struct tg_tls_names *names);

/* The lowest number for that host, by its own name before a wildcard's; -1 if
 * it is nobody's. */
ssize_t tg_tls_names_find(const struct tg_tls_names *names, const char *host);

#endif
