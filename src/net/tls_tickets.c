// SPDX-License-Identifier: MIT
/*
 * Tickets, by which clients resume their sessions (RFC 8446, 4.6.1).  A key
 * is for eight hours; tickets of the one before are still taken, and renewed.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/alloc.h"
#include "net/tls_openssl.h"

enum { KEY_SECONDS = 8 * 60 * 60 };

struct key {
    unsigned char name[16], secret[32], mac[32];
    time_t made; /* 0: there is none */
};

struct tg_tls_tickets {
    atomic_int refs;
    CRYPTO_RWLOCK *lock;
    struct key keys[2]; /* of now, and the one before */
};

struct tg_tls_tickets *tg_tls_tickets_new(void)
{
    struct tg_tls_tickets *tickets = tg_alloc(sizeof(*tickets));

    tickets->refs = 1;
    tickets->lock = CRYPTO_THREAD_lock_new();
    return tickets;
}

struct tg_tls_tickets *tg_tls_tickets_ref(struct tg_tls_tickets *tickets)
{
    atomic_fetch_add(&tickets->refs, 1);
    return tickets;
}

void tg_tls_tickets_unref(struct tg_tls_tickets *tickets)
{
    if (atomic_fetch_sub(&tickets->refs, 1) != 1)
        return;
    CRYPTO_THREAD_lock_free(tickets->lock);
    OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
    free(tickets);
}

/* The clock may be set back: a key of the future is as old as one of the
 * past. */
static bool is_good(const struct key *key, time_t now, int periods)
{
    return key->made && key->made <= now &&
           now - key->made < (time_t)periods * KEY_SECONDS;
}

static bool renew(struct tg_tls_tickets *tickets, time_t now)
{
    struct key key = {.made = now};

    if (RAND_bytes(key.name, sizeof(key.name)) <= 0 ||
        RAND_priv_bytes(key.secret, sizeof(key.secret)) <= 0 ||
        RAND_priv_bytes(key.mac, sizeof(key.mac)) <= 0)
        return false;
    tickets->keys[1] = tickets->keys[0];
    tickets->keys[0] = key;
    OPENSSL_cleanse(&key, sizeof(key));
    return true;
}

/* Copies the key that tickets are made with now. */
static bool take_newest(struct tg_tls_tickets *tickets, struct key *key)
{
    time_t now = time(NULL);
    bool good;

    CRYPTO_THREAD_read_lock(tickets->lock);
    good = is_good(&tickets->keys[0], now, 1);
    *key = tickets->keys[0];
    CRYPTO_THREAD_unlock(tickets->lock);
    if (good)
        return true;
    CRYPTO_THREAD_write_lock(tickets->lock);
    good = is_good(&tickets->keys[0], now, 1) || renew(tickets, now);
    *key = tickets->keys[0];
    CRYPTO_THREAD_unlock(tickets->lock);
    return good;
}

/* Copies the key of that name: 1, 2 for one that is not to be used again, 0
 * for none. */
static int take_named(struct tg_tls_tickets *tickets, const unsigned char *name,
                      struct key *key)
{
    time_t now = time(NULL);
    int i, found = 0;

    CRYPTO_THREAD_read_lock(tickets->lock);
    for (i = 0; i < 2 && !found; i++) {
        *key = tickets->keys[i];
        if (is_good(key, now, 2) &&
            memcmp(name, key->name, sizeof(key->name)) == 0)
            found = is_good(key, now, 1) ? 1 : 2;
    }
    CRYPTO_THREAD_unlock(tickets->lock);
    return found;
}

static bool set_mac(EVP_MAC_CTX *mac, const struct key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(
            OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) > 0;
}

/* OpenSSL asks for a key: to make a ticket, or to read one. */
static int on_key(SSL *ssl, unsigned char name[16], unsigned char *iv,
                  EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int is_new)
{
    struct tg_tls_tickets *tickets =
        tg_tls_context_tickets(SSL_get_app_data(ssl));
    const EVP_CIPHER *aes = EVP_aes_256_cbc();
    struct key key;
    int result;

    if (is_new) {
        result = take_newest(tickets, &key) &&
                 RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) > 0;
        memcpy(name, key.name, sizeof(key.name));
    } else {
        result = take_named(tickets, name, &key);
        if (result && SSL_version(ssl) == TLS1_3_VERSION)
            result = 2; /* its clients use a ticket only once */
    }
    if (result &&
        (!EVP_CipherInit_ex(cipher, aes, NULL, key.secret, iv, is_new) ||
         !set_mac(mac, &key)))
        result = -1;
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

void tg_tls_tickets_serve(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_key);
}
