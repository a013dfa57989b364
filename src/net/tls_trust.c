// SPDX-License-Identifier: MIT
#include "net/tls_trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "net/tls_openssl.h"

enum { SESSIONS_MOST = 64 };

struct kept {
    struct tg_list link; /* the last used is last */
    SSL_SESSION *session;
    char origin[];
};

struct tg_tls_trust {
    atomic_int refs;
    unsigned long long id;
    SSL_CTX *ctx;
    CRYPTO_RWLOCK *lock; /* of what follows */
    struct tg_list sessions;
    size_t count;
};

/* --- sessions --- */

static struct kept *find(struct tg_tls_trust *trust, const char *origin)
{
    struct tg_list *link;

    for (link = trust->sessions.next; link != &trust->sessions;
         link = link->next) {
        struct kept *kept = tg_list_item(link, struct kept, link);

        if (strcmp(kept->origin, origin) == 0)
            return kept;
    }
    return NULL;
}

static void forget(struct tg_tls_trust *trust, struct kept *kept)
{
    tg_list_remove(&kept->link);
    trust->count--;
    SSL_SESSION_free(kept->session);
    free(kept);
}

static void keep(struct tg_tls_trust *trust, const char *origin,
                 SSL_SESSION *session)
{
    size_t len = strlen(origin);
    struct kept *old = find(trust, origin),
                *kept = tg_alloc(sizeof(*kept) + len + 1);

    if (!old && trust->count == SESSIONS_MOST)
        old = tg_list_item(trust->sessions.next, struct kept, link);
    if (old)
        forget(trust, old);
    memcpy(kept->origin, origin, len + 1);
    kept->session = session;
    tg_list_append(&trust->sessions, &kept->link);
    trust->count++;
}

/* OpenSSL has got one from a server: with TLS 1.3, after the handshake. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tg_tls_trust *trust = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const char *origin = SSL_get_app_data(ssl);

    CRYPTO_THREAD_write_lock(trust->lock);
    keep(trust, origin, session);
    CRYPTO_THREAD_unlock(trust->lock);
    return 1;
}

static void resume(struct tg_tls_trust *trust, const char *origin, SSL *ssl)
{
    struct kept *kept;
    SSL_SESSION *copy; /* the one that is used may not be used again */

    CRYPTO_THREAD_write_lock(trust->lock);
    kept = find(trust, origin);
    if (kept && SSL_SESSION_is_resumable(kept->session)) {
        copy = SSL_SESSION_dup(kept->session);
        SSL_set_session(ssl, copy);
        SSL_SESSION_free(copy);
        tg_list_remove(&kept->link);
        tg_list_append(&trust->sessions, &kept->link);
    } else if (kept) {
        forget(trust, kept);
    }
    CRYPTO_THREAD_unlock(trust->lock);
}

/* --- a connection --- */

SSL *tg_tls_trust_open(struct tg_tls_trust *trust, const char *server,
                       char *origin)
{
    SSL *ssl = SSL_new(trust->ctx);
    X509_VERIFY_PARAM *param;
    struct tg_address address;

    if (!ssl)
        tg_alloc_failed();
    param = SSL_get0_param(ssl);
    if (tg_address_parse(&address, server, strlen(server))) {
        X509_VERIFY_PARAM_set1_ip_asc(param, server);
    } else {
        X509_VERIFY_PARAM_set_hostflags(param,
                                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        X509_VERIFY_PARAM_set1_host(param, server, 0);
        SSL_set_tlsext_host_name(ssl, server);
    }
    SSL_set_app_data(ssl, origin);
    SSL_set_connect_state(ssl);
    resume(trust, origin, ssl);
    return ssl;
}

/* --- its life --- */

static atomic_ullong last_id;

unsigned long long tg_tls_trust_id(const struct tg_tls_trust *trust)
{
    return trust->id;
}

static char *add_alpn(SSL_CTX *ctx, const char *const *names)
{
    unsigned char list[256];
    size_t at = 0, len;

    for (; names && *names; names++) {
        len = strlen(*names);
        if (len == 0 || at + len + 1 > sizeof(list))
            return tg_strf("the names of protocols (ALPN) are empty or too "
                           "long");
        list[at++] = (unsigned char)len;
        memcpy(list + at, *names, len);
        at += len;
    }
    if (at)
        SSL_CTX_set_alpn_protos(ctx, list, (unsigned)at);
    return NULL;
}

static char *add_ca(SSL_CTX *ctx, const struct tg_tls_trust_settings *settings)
{
    X509_STORE *store = NULL;
    STACK_OF(X509_NAME) *names = NULL;
    unsigned char digest[32];
    char *error;

    if (!settings->verify) {
        tg_log(TG_LOG_WARN, "TLS connections are made without verifying who "
                            "answers: verify is false");
        return NULL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (!settings->ca)
        return SSL_CTX_set_default_verify_paths(ctx)
                   ? NULL
                   : tg_strf("cannot use the system's certificates: %s",
                             tg_tls_reason());
    error = tg_tls_read_ca(settings->ca, &store, &names, digest);
    if (error)
        X509_STORE_free(store);
    else
        SSL_CTX_set_cert_store(ctx, store); /* takes it */
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return error;
}

static char *add_pair(SSL_CTX *ctx,
                      const struct tg_tls_trust_settings *settings)
{
    const struct tg_tls_pair pair = {
        (char *)(uintptr_t)settings->certificate,
        (char *)(uintptr_t)settings->key,
        NULL,
    };

    if (!pair.certificate && !pair.key)
        return NULL;
    if (!pair.certificate || !pair.key)
        return tg_strf("a certificate needs its key, and a key its "
                       "certificate");
    return tg_tls_read_pair(ctx, &pair);
}

static SSL_CTX *new_ctx(const struct tg_tls_trust_settings *settings)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!ctx)
        tg_alloc_failed();
    SSL_CTX_set_min_proto_version(ctx, settings->minimum == 3 ? TLS1_3_VERSION
                                                              : TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
                                            SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    return ctx;
}

struct tg_tls_trust *
tg_tls_trust_new(const struct tg_tls_trust_settings *settings, char **error)
{
    struct tg_tls_trust *trust = tg_alloc(sizeof(*trust));

    trust->refs = 1;
    trust->id = atomic_fetch_add(&last_id, 1);
    trust->ctx = new_ctx(settings);
    trust->lock = CRYPTO_THREAD_lock_new();
    tg_list_init(&trust->sessions);
    SSL_CTX_set_app_data(trust->ctx, trust);
    *error = add_ca(trust->ctx, settings);
    if (!*error)
        *error = add_pair(trust->ctx, settings);
    if (!*error)
        *error = add_alpn(trust->ctx, settings->alpn);
    ERR_clear_error();
    if (!*error)
        return trust;
    tg_tls_trust_unref(trust);
    return NULL;
}

struct tg_tls_trust *tg_tls_trust_ref(struct tg_tls_trust *trust)
{
    atomic_fetch_add(&trust->refs, 1);
    return trust;
}

void tg_tls_trust_unref(struct tg_tls_trust *trust)
{
    if (!trust || atomic_fetch_sub(&trust->refs, 1) != 1)
        return;
    while (!tg_list_empty(&trust->sessions))
        forget(trust, tg_list_item(trust->sessions.next, struct kept, link));
    SSL_CTX_free(trust->ctx);
    CRYPTO_THREAD_lock_free(trust->lock);
    free(trust);
}
