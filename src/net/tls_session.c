// SPDX-License-Identifier: MIT
#include "net/tls_session.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/scratch.h"
#include "net/tls_openssl.h"

enum {
    HANDSHAKE = 22, /* the type of the first record, RFC 8446, 5.1 */
    RECORD_MOST = SSL3_RT_MAX_PLAIN_LENGTH
};

struct tg_tls_session {
    SSL *ssl;                       /* NULL until the first byte has come */
    struct tg_tls_context *context; /* NULL: this side has connected */
    struct tg_tls_trust *trust;     /* NULL: the other side has */
    struct tg_tls_client *client;   /* NULL until it is asked for */
    char *origin;                   /* whom it has connected to */
    char *failure;                  /* why it has failed */
    char protocol[32];
    int fd;
    bool buffered, wants_write, wants_read;
    bool ended;   /* nothing more will be sent */
    bool broken;  /* OpenSSL must not be asked again */
    bool is_open; /* the handshake was done before OpenSSL was asked last */
    bool is_cut;  /* it ended without a close_notify */
};

struct tg_tls_session *tg_tls_session_new(struct tg_tls_context *context,
                                          int fd)
{
    struct tg_tls_session *session = tg_alloc(sizeof(*session));

    session->context = context;
    session->fd = fd;
    return session;
}

/* Sessions of one server, on one port, may be used for each other. */
static char *origin_of(int fd, const char *server)
{
    struct sockaddr_in6 address = {0}; /* begins as that of IPv4 does */
    socklen_t len = sizeof(address);

    if (getpeername(fd, (struct sockaddr *)&address, &len) < 0 ||
        (address.sin6_family != AF_INET && address.sin6_family != AF_INET6))
        address.sin6_port = 0;
    return tg_strf("%s:%u", server, (unsigned)ntohs(address.sin6_port));
}

struct tg_tls_session *tg_tls_session_new_client(struct tg_tls_trust *trust,
                                                 int fd, const char *server)
{
    struct tg_tls_session *session = tg_alloc(sizeof(*session));

    session->trust = tg_tls_trust_ref(trust);
    session->fd = fd;
    session->origin = origin_of(fd, server);
    session->ssl = tg_tls_trust_open(trust, server, session->origin);
    if (!SSL_set_fd(session->ssl, fd))
        tg_alloc_failed();
    return session;
}

void tg_tls_session_free(struct tg_tls_session *session)
{
    tg_tls_session_end(session);
    SSL_free(session->ssl);
    tg_tls_client_free(session->client);
    tg_tls_context_unref(session->context);
    tg_tls_trust_unref(session->trust);
    free(session->origin);
    free(session->failure);
    free(session);
}

/* Looks at the first byte, before anything is spent on the client. */
static ssize_t begin(struct tg_tls_session *session)
{
    unsigned char first;
    ssize_t n = recv(session->fd, &first, 1, MSG_PEEK);

    if (n <= 0)
        return n < 0 ? -errno : 0;
    if (first != HANDSHAKE)
        return -EPROTOTYPE;
    session->ssl = tg_tls_context_open(session->context);
    if (!session->ssl || !SSL_set_fd(session->ssl, session->fd))
        return -ENOMEM;
    SSL_set_app_data(session->ssl, session->context);
    SSL_set_accept_state(session->ssl);
    return 1;
}

static ssize_t protocol_failure(struct tg_tls_session *session)
{
    long verdict = SSL_get_verify_result(session->ssl);
    int reason = ERR_GET_REASON(ERR_peek_last_error());

    session->broken = true;
    if (!session->trust) {
        tg_log(TG_LOG_DEBUG, "TLS with a client failed: %s", tg_tls_reason());
        return -EPROTO;
    }
    session->is_cut =
        reason == SSL_R_UNEXPECTED_EOF_WHILE_READING && session->is_open;
    if (session->is_cut)
        return -ESHUTDOWN;
    free(session->failure);
    session->failure = reason == SSL_R_CERTIFICATE_VERIFY_FAILED
                           ? tg_strf("certificate verify failed: %s",
                                     X509_verify_cert_error_string(verdict))
                       : reason == SSL_R_UNEXPECTED_EOF_WHILE_READING
                           ? tg_strf("TLS failed: closed during the handshake")
                           : tg_strf("TLS failed: %s", tg_tls_reason());
    return -EPROTO;
}

/* What OpenSSL says of a call that moved nothing. */
static ssize_t failure(struct tg_tls_session *session, int result)
{
    int error = errno;

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        session->wants_write = true;
        return -EAGAIN;
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        session->broken = true;
        return error ? -error : -ECONNRESET;
    default:
        return protocol_failure(session);
    }
}

int tg_tls_session_handshake(struct tg_tls_session *session)
{
    int result;

    if (session->broken)
        return -EPROTO;
    session->wants_write = false;
    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(session->ssl);
    if (result == 1)
        return 0;
    result = (int)failure(session, result);
    return result ? result : -ECONNRESET;
}

ssize_t tg_tls_session_recv(struct tg_tls_session *session, char *room,
                            size_t len)
{
    size_t got = 0;
    ssize_t n;
    int result;

    if (session->ended && !session->trust) {
        n = recv(session->fd, room, len, 0);
        return n < 0 ? -errno : n;
    }
    if (session->broken)
        return session->is_cut ? -ESHUTDOWN : -EPROTO;
    if (!session->ssl && (n = begin(session)) <= 0)
        return n;
    session->buffered = session->wants_write = false;
    do {
        session->is_open = SSL_is_init_finished(session->ssl);
        ERR_clear_error();
        errno = 0;
        result = SSL_read(session->ssl, room + got, (int)(len - got));
        if (result > 0)
            got += (size_t)result;
    } while (result > 0 && got < len && SSL_has_pending(session->ssl));
    if (result > 0) {
        session->buffered = got == len && SSL_has_pending(session->ssl);
        return (ssize_t)got;
    }
    n = failure(session, result);
    if (got && n != -EAGAIN)
        session->buffered = true; /* the end: to be told next time */
    return got ? (ssize_t)got : n;
}

/* Where sending has got to in the pieces. */
struct cursor {
    const struct iovec *piece;
    int n;     /* pieces from this one on */
    size_t at; /* in the piece */
};

static void advance(struct cursor *cursor, size_t len)
{
    while (cursor->n && len >= cursor->piece->iov_len - cursor->at) {
        len -= cursor->piece->iov_len - cursor->at;
        cursor->at = 0;
        cursor->piece++;
        cursor->n--;
    }
    cursor->at += len;
}

/*
 * What the next record holds, up to a full one: so small pieces cost no record
 * each.  OpenSSL, when asked again, wants at least as much as before; what
 * waits in a buffer only grows.
 */
static size_t next_record(struct cursor cursor, char *room, const char **from)
{
    size_t len = 0, more;

    *from = room;
    while (cursor.n && len < RECORD_MOST) {
        const char *at = (const char *)cursor.piece->iov_base + cursor.at;

        more = cursor.piece->iov_len - cursor.at;
        if (more > RECORD_MOST - len)
            more = RECORD_MOST - len;
        if (len == 0 && (cursor.n == 1 || more == RECORD_MOST)) {
            *from = at;
            return more;
        }
        memcpy(room + len, at, more);
        len += more;
        advance(&cursor, more);
    }
    return len;
}

ssize_t tg_tls_session_send(struct tg_tls_session *session,
                            const struct iovec *pieces, int n)
{
    static _Thread_local struct tg_scratch scratch;
    char *room = tg_scratch_room(&scratch, RECORD_MOST);
    struct cursor cursor = {pieces, n, 0};
    const char *from;
    size_t sent = 0, len;
    ssize_t error;
    int result;

    if (session->ended || session->broken || !session->ssl)
        return -EPIPE;
    session->wants_read = false;
    while ((len = next_record(cursor, room, &from)) > 0) {
        ERR_clear_error();
        errno = 0;
        result = SSL_write(session->ssl, from, (int)len);
        if (result <= 0) {
            error = failure(session, result);
            session->wants_read = error == -EAGAIN && !session->wants_write;
            if (session->wants_read && !session->trust) {
                session->broken = true; /* a handshake, which is not due */
                error = -EPROTO;
            }
            session->wants_write = false; /* that is for recv */
            return sent ? (ssize_t)sent : error ? error : -EPIPE;
        }
        sent += (size_t)result;
        advance(&cursor, (size_t)result);
    }
    return (ssize_t)sent;
}

bool tg_tls_session_is_buffered(const struct tg_tls_session *session)
{
    return session->buffered;
}

bool tg_tls_session_wants_write(const struct tg_tls_session *session)
{
    return session->wants_write;
}

bool tg_tls_session_wants_read(const struct tg_tls_session *session)
{
    return session->wants_read;
}

const char *tg_tls_session_failure(const struct tg_tls_session *session)
{
    return session->failure;
}

void tg_tls_session_end(struct tg_tls_session *session)
{
    if (session->ssl && !session->ended && !session->broken &&
        SSL_is_init_finished(session->ssl)) {
        ERR_clear_error();
        SSL_shutdown(session->ssl);
    }
    session->ended = true;
    if (!session->trust)
        session->buffered = session->wants_write = false;
}

void tg_tls_session_break(struct tg_tls_session *session)
{
    session->broken = true;
}

void tg_tls_session_describe(struct tg_tls_session *session,
                             struct tg_tls_facts *facts)
{
    const unsigned char *protocol;
    unsigned len;

    SSL_get0_alpn_selected(session->ssl, &protocol, &len);
    if (len >= sizeof(session->protocol))
        len = 0;
    if (len)
        memcpy(session->protocol, protocol, len);
    session->protocol[len] = '\0';
    facts->protocol = len ? session->protocol : NULL;
    facts->version = SSL_get_version(session->ssl);
    facts->cipher = SSL_get_cipher_name(session->ssl);
    facts->name = SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name);
    facts->resumed = SSL_session_reused(session->ssl);
}

const struct tg_tls_client *
tg_tls_session_client(struct tg_tls_session *session)
{
    X509 *certificate;

    if (!session->client) {
        certificate = SSL_get0_peer_certificate(session->ssl);
        if (certificate)
            session->client = tg_tls_client_new(certificate);
    }
    return session->client;
}
