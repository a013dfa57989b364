// SPDX-License-Identifier: MIT
#include "net/tls.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/tls_names.h"
#include "net/tls_openssl.h"

/* What RFC 9325 recommends for TLS 1.2: a key for each session, and AEAD.
 * Those of TLS 1.3 are all fine. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char groups[] = "X25519:P-256:P-384";

/* One certificate: an SSL_CTX, since that is what OpenSSL can change in the
 * middle of a handshake. */
struct certificate {
    SSL_CTX *ctx;
    unsigned char *ocsp;
    size_t ocsp_len;
};

struct tg_tls_context {
    atomic_int refs;
    struct tg_tls_tickets *tickets;
    struct certificate *certificates;
    size_t count;
    struct tg_tls_names names;
};

struct tg_tls {
    CRYPTO_RWLOCK *lock;
    struct tg_tls_context *current;
    struct tg_tls_tickets *tickets;
};

static void add_names(struct tg_tls_context *context, size_t number,
                      const char *path)
{
    SSL_CTX *ctx = context->certificates[number].ctx;
    GENERAL_NAMES *names = X509_get_ext_d2i(SSL_CTX_get0_certificate(ctx),
                                            NID_subject_alt_name, NULL, NULL);
    size_t before = context->names.count;
    int i;

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            tg_tls_names_add(
                &context->names,
                (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                (size_t)ASN1_STRING_length(name->d.dNSName), number);
    }
    GENERAL_NAMES_free(names);
    if (context->names.count == before && number > 0)
        tg_log(TG_LOG_WARN,
               "the certificate %s has no DNS name (subjectAltName): no client "
               "will get it",
               path);
}

/* --- what OpenSSL asks in a handshake --- */

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tg_tls_context *context = arg;
    ssize_t found = host ? tg_tls_names_find(&context->names, host) : -1;

    (void)alert;
    if (found < 0)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, context->certificates[found].ctx);
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    unsigned char *chosen;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
                              len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int on_status(SSL *ssl, void *arg)
{
    const struct certificate *certificate = arg;
    unsigned char *copy =
        OPENSSL_memdup(certificate->ocsp, certificate->ocsp_len);

    if (!copy)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)certificate->ocsp_len);
    return SSL_TLSEXT_ERR_OK;
}

/* --- making one --- */

/* Who may sign clients; the same for each certificate. */
struct trust {
    X509_STORE *store;
    STACK_OF(X509_NAME) * names;
    enum tg_tls_verify verify;
    unsigned char id[32]; /* sessions of other trust are not resumed */
};

static SSL_CTX *new_ctx(const struct tg_tls_settings *settings,
                        const struct trust *trust)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_min_proto_version(ctx, settings->minimum == 3 ? TLS1_3_VERSION
                                                              : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(ctx, ciphers);
    SSL_CTX_set1_groups_list(ctx, groups);
    /* a request has a length: where a stream was cut shows by that */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, trust->id, sizeof(trust->id));
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    tg_tls_tickets_serve(ctx);
    if (trust->store) {
        SSL_CTX_set1_cert_store(ctx, trust->store);
        SSL_CTX_set_client_CA_list(ctx, SSL_dup_CA_list(trust->names));
        SSL_CTX_set_verify(ctx,
                           trust->verify == TG_TLS_VERIFY_REQUIRE
                               ? SSL_VERIFY_PEER |
                                     SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                               : SSL_VERIFY_PEER,
                           NULL);
    }
    return ctx;
}

static char *add_certificate(struct tg_tls_context *context,
                             const struct tg_tls_pair *pair, SSL_CTX *ctx)
{
    size_t number = context->count++;
    struct certificate *certificate = &context->certificates[number];
    char *error;

    certificate->ctx = ctx;
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, context);
    error = tg_tls_read_pair(ctx, pair);
    if (!error && pair->ocsp) {
        error = tg_tls_read_ocsp(pair->ocsp, SSL_CTX_get0_certificate(ctx),
                                 &certificate->ocsp, &certificate->ocsp_len);
        SSL_CTX_set_tlsext_status_cb(ctx, on_status);
        SSL_CTX_set_tlsext_status_arg(ctx, certificate);
    }
    if (!error)
        add_names(context, number, pair->certificate);
    return error;
}

static char *read_trust(const struct tg_tls_settings *settings,
                        struct trust *trust)
{
    trust->verify = settings->verify;
    if (trust->verify == TG_TLS_VERIFY_NONE)
        return NULL;
    return tg_tls_read_ca(settings->client_ca, &trust->store, &trust->names,
                          trust->id);
}

struct tg_tls_context *
tg_tls_context_new(const struct tg_tls_settings *settings, struct tg_tls *tls,
                   char **error)
{
    struct tg_tls_context *context = tg_alloc(sizeof(*context));
    struct trust trust = {0};
    size_t i;

    context->refs = 1;
    context->tickets =
        tls ? tg_tls_tickets_ref(tls->tickets) : tg_tls_tickets_new();
    context->certificates =
        tg_alloc(settings->count * sizeof(*context->certificates));
    *error = read_trust(settings, &trust);
    trust.id[31] ^= (unsigned char)trust.verify;
    for (i = 0; i < settings->count && !*error; i++)
        *error = add_certificate(context, &settings->pairs[i],
                                 new_ctx(settings, &trust));
    X509_STORE_free(trust.store);
    sk_X509_NAME_pop_free(trust.names, X509_NAME_free);
    ERR_clear_error();
    if (*error) {
        tg_tls_context_unref(context);
        return NULL;
    }
    tg_tls_names_sort(&context->names);
    return context;
}

/* --- its life --- */

struct tg_tls_context *tg_tls_context_ref(struct tg_tls_context *context)
{
    atomic_fetch_add(&context->refs, 1);
    return context;
}

void tg_tls_context_unref(struct tg_tls_context *context)
{
    size_t i;

    if (!context || atomic_fetch_sub(&context->refs, 1) != 1)
        return;
    for (i = 0; i < context->count; i++) {
        SSL_CTX_free(context->certificates[i].ctx);
        free(context->certificates[i].ocsp);
    }
    free(context->certificates);
    tg_tls_names_release(&context->names);
    tg_tls_tickets_unref(context->tickets);
    free(context);
}

SSL *tg_tls_context_open(struct tg_tls_context *context)
{
    return SSL_new(context->certificates[0].ctx);
}

struct tg_tls_tickets *tg_tls_context_tickets(struct tg_tls_context *context)
{
    return context->tickets;
}

struct tg_tls *tg_tls_new(void)
{
    struct tg_tls *tls = tg_alloc(sizeof(*tls));

    tls->lock = CRYPTO_THREAD_lock_new();
    tls->tickets = tg_tls_tickets_new();
    return tls;
}

void tg_tls_free(struct tg_tls *tls)
{
    if (!tls)
        return;
    tg_tls_context_unref(tls->current);
    tg_tls_tickets_unref(tls->tickets);
    CRYPTO_THREAD_lock_free(tls->lock);
    free(tls);
}

void tg_tls_replace(struct tg_tls *tls, struct tg_tls_context *context)
{
    struct tg_tls_context *old;

    CRYPTO_THREAD_write_lock(tls->lock);
    old = tls->current;
    tls->current = context;
    CRYPTO_THREAD_unlock(tls->lock);
    tg_tls_context_unref(old);
}

struct tg_tls_context *tg_tls_current(struct tg_tls *tls)
{
    struct tg_tls_context *context;

    CRYPTO_THREAD_read_lock(tls->lock);
    context = tg_tls_context_ref(tls->current);
    CRYPTO_THREAD_unlock(tls->lock);
    return context;
}

const char *tg_tls_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
