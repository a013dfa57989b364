// SPDX-License-Identifier: MIT
/* The certificate of a client, as strings. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "net/tls_openssl.h"

static char *take_text(BIO *bio)
{
    char *data, *text;
    long len = BIO_get_mem_data(bio, &data);

    text = tg_strndup(data, len > 0 ? (size_t)len : 0);
    (void)BIO_reset(bio);
    return text;
}

static char *hex_of(const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = tg_alloc(2 * len + 1);
    size_t i;

    for (i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

static char *name_of(BIO *bio, const X509_NAME *name)
{
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    return take_text(bio);
}

static char *serial_of(const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    return hex_of(ASN1_STRING_get0_data(serial),
                  (size_t)ASN1_STRING_length(serial));
}

static char *fingerprint_of(const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    X509_digest(certificate, EVP_sha256(), digest, &len);
    return hex_of(digest, len);
}

/* A name with a NUL in it would be read as another one. */
static char *dns_name(const GENERAL_NAME *name)
{
    const char *text;
    size_t len;

    if (name->type != GEN_DNS)
        return NULL;
    text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
    len = (size_t)ASN1_STRING_length(name->d.dNSName);
    return memchr(text, '\0', len) ? NULL : tg_strndup(text, len);
}

static char **dns_of(const X509 *certificate)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int i, count = names ? sk_GENERAL_NAME_num(names) : 0;
    char **dns = tg_alloc(((size_t)count + 1) * sizeof(*dns));
    size_t n = 0;

    for (i = 0; i < count; i++) {
        dns[n] = dns_name(sk_GENERAL_NAME_value(names, i));
        if (dns[n])
            n++;
    }
    GENERAL_NAMES_free(names);
    return dns;
}

static time_t time_of(const ASN1_TIME *when)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(when, &tm) ? timegm(&tm) : 0;
}

struct tg_tls_client *tg_tls_client_new(X509 *certificate)
{
    struct tg_tls_client *client = tg_alloc(sizeof(*client));
    BIO *bio = BIO_new(BIO_s_mem());

    client->subject = name_of(bio, X509_get_subject_name(certificate));
    client->issuer = name_of(bio, X509_get_issuer_name(certificate));
    client->serial = serial_of(certificate);
    client->fingerprint = fingerprint_of(certificate);
    client->dns = dns_of(certificate);
    PEM_write_bio_X509(bio, certificate);
    client->pem = take_text(bio);
    client->not_after = time_of(X509_get0_notAfter(certificate));
    BIO_free(bio);
    return client;
}

void tg_tls_client_free(struct tg_tls_client *client)
{
    char **name;

    if (!client)
        return;
    for (name = client->dns; *name; name++)
        free(*name);
    free(client->dns);
    free(client->subject);
    free(client->issuer);
    free(client->serial);
    free(client->fingerprint);
    free(client->pem);
    free(client);
}
