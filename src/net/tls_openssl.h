// SPDX-License-Identifier: MIT
/*
 * What the files net/tls*.c share, with OpenSSL's types: nobody else includes
 * this.
 */
#ifndef TG_NET_TLS_OPENSSL_H
#define TG_NET_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "base/tls_settings.h"
#include "net/tls.h"
#include "net/tls_session.h"
#include "net/tls_trust.h"

/* --- files (tls_files.c): each returns NULL or one sentence, to be freed ---
 */

/* Gives the context a pair's certificate with its chain, and its key.  The
 * certificate stays the context's. */
char *tg_tls_read_pair(SSL_CTX *ctx, const struct tg_tls_pair *pair);

/* The certificates of a file, in a new store and as the list of names that
 * clients are shown; `digest` gets the SHA-256 of the file. */
char *tg_tls_read_ca(const char *path, X509_STORE **store,
                     STACK_OF(X509_NAME) * *names, unsigned char digest[32]);

/* An OCSP response about `certificate`; `*der` is to be freed. */
char *tg_tls_read_ocsp(const char *path, X509 *certificate, unsigned char **der,
                       size_t *len);

/* OpenSSL's reason of what failed last. */
const char *tg_tls_reason(void);

/* --- tickets (tls_tickets.c): keys that outlive the contexts --- */

struct tg_tls_tickets;

struct tg_tls_tickets *tg_tls_tickets_new(void);
struct tg_tls_tickets *tg_tls_tickets_ref(struct tg_tls_tickets *tickets);
void tg_tls_tickets_unref(struct tg_tls_tickets *tickets);

/* Sessions of this context get tickets of theirs. */
void tg_tls_tickets_serve(SSL_CTX *ctx);

/* --- the context (tls.c), for its sessions --- */

SSL *tg_tls_context_open(struct tg_tls_context *context);
struct tg_tls_tickets *tg_tls_context_tickets(struct tg_tls_context *context);

/* --- outgoing connections (tls_trust.c) --- */

/* The client's side of a connection to `server`, a name or an address.  Its
 * session is kept by `origin`, which stays as long as the SSL. */
SSL *tg_tls_trust_open(struct tg_tls_trust *trust, const char *server,
                       char *origin);

/* --- clients (tls_client.c) --- */

struct tg_tls_client *tg_tls_client_new(X509 *certificate);
void tg_tls_client_free(struct tg_tls_client *client);

#endif
