// SPDX-License-Identifier: MIT
/*
 * TLS, by OpenSSL: what the connections of one listening address share.
 *
 * A context is what was read from the files once: certificates, keys, and who
 * may sign clients.  It does not change, and all threads use it; the last
 * reference frees it.  A tg_tls is the address's place for its context, which
 * a reload replaces: connections that are open keep the one they began with.
 */
#ifndef TG_NET_TLS_H
#define TG_NET_TLS_H

struct tg_tls;
struct tg_tls_context;
struct tg_tls_settings;

struct tg_tls *tg_tls_new(void);
void tg_tls_free(struct tg_tls *tls);

/* Reads the files; says in the log what is odd about them.  NULL when they
 * cannot be used; `*error` is then one sentence, to be freed.  Tickets of
 * `tls` stay good with its new context. */
struct tg_tls_context *
tg_tls_context_new(const struct tg_tls_settings *settings, struct tg_tls *tls,
                   char **error);
struct tg_tls_context *tg_tls_context_ref(struct tg_tls_context *context);
void tg_tls_context_unref(struct tg_tls_context *context);

/* Connections from now on use `context`, whose reference it takes. */
void tg_tls_replace(struct tg_tls *tls, struct tg_tls_context *context);

/* The context of now, with a reference for the caller. */
struct tg_tls_context *tg_tls_current(struct tg_tls *tls);

/* "OpenSSL 3.0.19 27 Jan 2026" */
const char *tg_tls_version(void);

#endif
