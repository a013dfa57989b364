// SPDX-License-Identifier: MIT
/* The files of certificates and keys, read whole, with one sentence for each
 * way they can be wrong. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/tls_openssl.h"

enum { FILE_MOST = 1024 * 1024, CLOCK_SKEW = 300 };

const char *tg_tls_reason(void)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    return reason ? reason : "unknown error";
}

/* --- bytes --- */

static char *cannot_read(const char *path, const char *why)
{
    return tg_strf("cannot read %s: %s", path, why);
}

static char *read_fd(int fd, const char *path, bool is_secret, BIO *bio)
{
    struct stat st;
    char room[4096];
    ssize_t n;
    size_t len = 0;

    if (fstat(fd, &st) < 0)
        return cannot_read(path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return cannot_read(path, S_ISDIR(st.st_mode)
                                     ? strerror(EISDIR)
                                     : "it is not a regular file");
    if (is_secret && st.st_mode & (S_IRWXG | S_IRWXO))
        tg_log(TG_LOG_WARN,
               "the key %s may be used by others than its owner: chmod 600 it",
               path);
    while ((n = read(fd, room, sizeof(room))) > 0 && len <= FILE_MOST) {
        BIO_write(bio, room, (int)n);
        len += (size_t)n;
    }
    OPENSSL_cleanse(room, sizeof(room));
    if (n < 0)
        return cannot_read(path, strerror(errno));
    return len > FILE_MOST ? cannot_read(path, strerror(EFBIG)) : NULL;
}

/* Opens a file as a BIO of what is in it. */
static char *read_file(const char *path, bool is_secret, BIO **bio)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *error;

    *bio = NULL;
    ERR_clear_error();
    if (fd < 0)
        return cannot_read(path, strerror(errno));
    *bio = BIO_new(is_secret ? BIO_s_secmem() : BIO_s_mem());
    error = read_fd(fd, path, is_secret, *bio);
    close(fd);
    return error;
}

/* --- certificates --- */

static void warn_of_time(const char *path, const X509 *certificate)
{
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        tg_log(TG_LOG_WARN, "the certificate %s has expired", path);
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        tg_log(TG_LOG_WARN, "the certificate %s is not valid yet", path);
}

/* The first certificate is the server's own, the others are its chain. */
static char *use_chain(SSL_CTX *ctx, const char *path, BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    bool ok;

    if (!certificate)
        return tg_strf("there is no certificate in PEM form in %s", path);
    warn_of_time(path, certificate);
    ok = SSL_CTX_use_certificate(ctx, certificate) > 0;
    X509_free(certificate);
    while (ok && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        ok = SSL_CTX_add0_chain_cert(ctx, certificate) > 0;
        if (!ok)
            X509_free(certificate);
    }
    if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        ok = false; /* there was more, and broken */
    return ok ? NULL
              : tg_strf("cannot use the certificate %s: %s", path,
                        tg_tls_reason());
}

/* --- keys --- */

static int on_passphrase(char *room, int size, int writing, void *asked)
{
    (void)room, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static char *use_key(SSL_CTX *ctx, const struct tg_tls_pair *pair, BIO *bio)
{
    bool is_encrypted = false;
    EVP_PKEY *key =
        PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &is_encrypted);
    X509 *certificate = SSL_CTX_get0_certificate(ctx);
    char *error = NULL;

    if (!key && is_encrypted)
        return tg_strf("the key %s is encrypted, and nobody is there to type "
                       "its passphrase: `openssl pkey -in %s` writes it "
                       "without one",
                       pair->key, pair->key);
    if (!key)
        return tg_strf("there is no private key in PEM form in %s", pair->key);
    if (X509_check_private_key(certificate, key) <= 0)
        error = tg_strf("the key %s does not belong to the certificate %s",
                        pair->key, pair->certificate);
    else if (SSL_CTX_use_PrivateKey(ctx, key) <= 0)
        error =
            tg_strf("cannot use the key %s: %s", pair->key, tg_tls_reason());
    EVP_PKEY_free(key);
    return error;
}

char *tg_tls_read_pair(SSL_CTX *ctx, const struct tg_tls_pair *pair)
{
    BIO *bio;
    char *error = read_file(pair->certificate, false, &bio);

    if (!error)
        error = use_chain(ctx, pair->certificate, bio);
    BIO_free(bio);
    if (error)
        return error;
    error = read_file(pair->key, true, &bio);
    if (!error)
        error = use_key(ctx, pair, bio);
    BIO_free(bio);
    return error;
}

/* --- who signs clients --- */

static void digest_of(BIO *bio, unsigned char digest[32])
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    EVP_Digest(data, (size_t)len, digest, NULL, EVP_sha256(), NULL);
}

char *tg_tls_read_ca(const char *path, X509_STORE **store,
                     STACK_OF(X509_NAME) * *names, unsigned char digest[32])
{
    BIO *bio;
    char *error = read_file(path, false, &bio);
    X509 *certificate;

    *store = X509_STORE_new();
    *names = sk_X509_NAME_new_null();
    if (!error)
        digest_of(bio, digest);
    while (!error && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        warn_of_time(path, certificate);
        X509_STORE_add_cert(*store, certificate);
        sk_X509_NAME_push(*names,
                          X509_NAME_dup(X509_get_subject_name(certificate)));
        X509_free(certificate);
    }
    if (!error && sk_X509_NAME_num(*names) == 0)
        error = tg_strf("there is no certificate in PEM form in %s", path);
    else if (!error &&
             ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        error = cannot_read(path, tg_tls_reason());
    BIO_free(bio);
    return error;
}

/* --- OCSP --- */

/* Is there an answer about this serial number, and is it of today? */
static char *check_answer(const char *path, OCSP_BASICRESP *basic,
                          const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    ASN1_GENERALIZEDTIME *from, *until;
    ASN1_INTEGER *its;
    int i, status;

    for (i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

        OCSP_id_get0_info(NULL, NULL, NULL, &its,
                          (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
        if (ASN1_INTEGER_cmp(its, serial) != 0)
            continue;
        status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
        if (status != V_OCSP_CERTSTATUS_GOOD)
            tg_log(TG_LOG_WARN, "the OCSP response %s says '%s'", path,
                   OCSP_cert_status_str(status));
        if (!OCSP_check_validity(from, until, CLOCK_SKEW, -1))
            tg_log(TG_LOG_WARN, "the OCSP response %s is out of date", path);
        return NULL;
    }
    return tg_strf("the OCSP response %s is about another certificate", path);
}

char *tg_tls_read_ocsp(const char *path, X509 *certificate, unsigned char **der,
                       size_t *len)
{
    BIO *bio;
    char *error = read_file(path, false, &bio), *data;
    OCSP_RESPONSE *response = NULL;
    OCSP_BASICRESP *basic = NULL;
    const unsigned char *at;

    if (!error) {
        *len = (size_t)BIO_get_mem_data(bio, &data);
        at = (const unsigned char *)data;
        response = d2i_OCSP_RESPONSE(NULL, &at, (long)*len);
        basic = response ? OCSP_response_get1_basic(response) : NULL;
        error = basic ? check_answer(path, basic, certificate)
                      : tg_strf("there is no OCSP response in DER form in %s",
                                path);
    }
    if (!error)
        *der = (unsigned char *)tg_strndup(data, *len);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    BIO_free(bio);
    return error;
}
