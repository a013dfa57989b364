// SPDX-License-Identifier: MIT
/*
 * Whom we trust when we connect to others by TLS, and what we show them: an
 * OpenSSL context for outgoing connections.  It does not change, and all
 * threads may use it; the last reference frees it.
 *
 * It remembers the newest session of each server, by name and port, so that the
 * next handshake there is short.
 */
#ifndef TG_NET_TLS_TRUST_H
#define TG_NET_TLS_TRUST_H

#include <stdbool.h>

struct tg_tls_trust;

struct tg_tls_trust_settings {
    bool verify;             /* false is said in the log */
    const char *ca;          /* a file in PEM form; NULL: the system's store */
    const char *certificate; /* what we show, and its key; NULL: nothing */
    const char *key;
    const char *const
        *alpn;   /* protocols, the best first, up to NULL; or NULL */
    int minimum; /* 3 for TLS 1.3, otherwise TLS 1.2 */
};

/* Reads the files.  NULL when they cannot be used; `*error` is then one
 * sentence, to be freed. */
struct tg_tls_trust *
tg_tls_trust_new(const struct tg_tls_trust_settings *settings, char **error);

struct tg_tls_trust *tg_tls_trust_ref(struct tg_tls_trust *trust);
void tg_tls_trust_unref(struct tg_tls_trust *trust);

/* What no other one of this process ever has. */
unsigned long long tg_tls_trust_id(const struct tg_tls_trust *trust);

#endif
