// SPDX-License-Identifier: MIT
/*
 * What the settings say of TLS on one address: names of files, not what is in
 * them.  It belongs to its struct tg_listen and does not change after the
 * start.
 */
#ifndef TG_BASE_TLS_SETTINGS_H
#define TG_BASE_TLS_SETTINGS_H

#include <stddef.h>

/* A certificate with its chain, its key, and an OCSP response or NULL. */
struct tg_tls_pair {
    char *certificate, *key, *ocsp;
};

/* Must a client show a certificate? */
enum tg_tls_verify {
    TG_TLS_VERIFY_NONE,
    TG_TLS_VERIFY_OPTIONAL,
    TG_TLS_VERIFY_REQUIRE
};

struct tg_tls_settings {
    struct tg_tls_pair *pairs; /* the first is for clients that name nobody */
    size_t count;
    char *client_ca; /* who signs clients' certificates; NULL: nobody */
    enum tg_tls_verify verify;
    int minimum; /* 2 for TLS 1.2, 3 for TLS 1.3 */
};

struct tg_tls_settings *tg_tls_settings_new(void);
void tg_tls_settings_free(struct tg_tls_settings *settings);

/* Adds an empty pair, whose strings it will free. */
struct tg_tls_pair *tg_tls_settings_add(struct tg_tls_settings *settings);

#endif
