// SPDX-License-Identifier: MIT
#include "net/tls_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/tls_openssl.h"

enum {
    HANDSHAKE = 22, /* the type of the first record, RFC 8446, 5.1 */
    RECORD_MOST = SSL3_RT_MAX_PLAIN_LENGTH
};

struct tg_tls_session {
    SSL *ssl; /* NULL until the first byte has come */
    struct tg_tls_context *context;
    struct tg_tls_client *client; /* NULL until it is asked for */
    int fd;
    bool buffered, wants_write;
    bool ended;  /* nothing more will be sent */
    bool broken; /* OpenSSL must not be asked again */
};

struct tg_tls_session *tg_tls_session_new(struct tg_tls_context *context,
                                          int fd)
{
    struct tg_tls_session *session = tg_alloc(sizeof(*session));

    session->context = context;
    session->fd = fd;
    return session;
}

void tg_tls_session_free(struct tg_tls_session *session)
{
    tg_tls_session_end(session);
    SSL_free(session->ssl);
    tg_tls_client_free(session->client);
    tg_tls_context_unref(session->context);
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
        session->broken = true;
        tg_log(TG_LOG_DEBUG, "TLS with a client failed: %s", tg_tls_reason());
        return -EPROTO;
    }
}

ssize_t tg_tls_session_recv(struct tg_tls_session *session, char *room,
                            size_t len)
{
    size_t got = 0;
    ssize_t n;
    int result;

    if (session->ended) {
        n = recv(session->fd, room, len, 0);
        return n < 0 ? -errno : n;
    }
    if (session->broken)
        return -EPROTO;
    if (!session->ssl && (n = begin(session)) <= 0)
        return n;
    session->buffered = session->wants_write = false;
    do {
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
    static _Thread_local char room[RECORD_MOST];
    struct cursor cursor = {pieces, n, 0};
    const char *from;
    size_t sent = 0, len;
    ssize_t error;
    int result;

    if (session->ended || session->broken || !session->ssl)
        return -EPIPE;
    while ((len = next_record(cursor, room, &from)) > 0) {
        ERR_clear_error();
        errno = 0;
        result = SSL_write(session->ssl, from, (int)len);
        if (result <= 0) {
            error = failure(session, result);
            if (error == -EAGAIN && !session->wants_write) {
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

void tg_tls_session_end(struct tg_tls_session *session)
{
    if (session->ssl && !session->ended && !session->broken &&
        SSL_is_init_finished(session->ssl)) {
        ERR_clear_error();
        SSL_shutdown(session->ssl);
    }
    session->ended = true;
    session->buffered = session->wants_write = false;
}

void tg_tls_session_break(struct tg_tls_session *session)
{
    session->broken = true;
}

void tg_tls_session_describe(const struct tg_tls_session *session,
                             struct tg_tls_facts *facts)
{
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
