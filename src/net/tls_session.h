// SPDX-License-Identifier: MIT
/*
 * One connection's TLS.  The handshake happens inside the first calls of recv;
 * nothing is sent before it is over.
 *
 * recv and send return bytes or -errno as a stream does: -EAGAIN says to wait
 * for the socket to become readable, or writable where wants_write() says so.
 */
#ifndef TG_NET_TLS_SESSION_H
#define TG_NET_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

struct tg_tls_context;
struct tg_tls_session;

/* Takes the reference to `context`; `fd` stays the caller's. */
struct tg_tls_session *tg_tls_session_new(struct tg_tls_context *context,
                                          int fd);

/* Tells the client of the end, unless it was told or the session is broken. */
void tg_tls_session_free(struct tg_tls_session *session);

/* -EPROTOTYPE: the first byte begins no TLS; nothing was received. */
ssize_t tg_tls_session_recv(struct tg_tls_session *session, char *room,
                            size_t len);
ssize_t tg_tls_session_send(struct tg_tls_session *session,
                            const struct iovec *pieces, int n);

/* Did recv stop for lack of room?  No event of the socket tells of the rest. */
bool tg_tls_session_is_buffered(const struct tg_tls_session *session);

/* Does recv wait until the socket can be written to? */
bool tg_tls_session_wants_write(const struct tg_tls_session *session);

/* Sends close_notify.  What recv gives afterwards is not decrypted. */
void tg_tls_session_end(struct tg_tls_session *session);

/* No close_notify will be sent: what was sent is not whole. */
void tg_tls_session_break(struct tg_tls_session *session);

/* --- what it is --- */

/* Strings are the session's or constant; `name` is NULL if none was sent. */
struct tg_tls_facts {
    const char *version, *cipher, *name;
    bool resumed;
};

void tg_tls_session_describe(const struct tg_tls_session *session,
                             struct tg_tls_facts *facts);

/* The certificate the client has shown; strings are the client's choice, but
 * a CA of ours has signed them. */
struct tg_tls_client {
    char *subject, *issuer;     /* as RFC 2253 writes them */
    char *serial, *fingerprint; /* hexadecimal; SHA-256 of all of it */
    char **dns;                 /* names; ends with NULL */
    char *pem;
    time_t not_after;
};

/* The session's own, made at the first call; NULL: it has shown none. */
const struct tg_tls_client *
tg_tls_session_client(struct tg_tls_session *session);

#endif
