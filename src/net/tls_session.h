// SPDX-License-Identifier: MIT
/*
 * One connection's TLS, of the side that was connected to or of the side that
 * connects.  The handshake happens inside the first calls of recv; nothing is
 * sent before it is over.  Who connects may begin with send, too.
 *
 * recv and send return bytes or -errno as a stream does.  -EAGAIN of recv says
 * to wait for the socket to become readable, or writable where wants_write()
 * says so; that of send, to become writable, or readable where wants_read()
 * says so.
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
struct tg_tls_trust;

/* Takes the reference to `context`; `fd` stays the caller's. */
struct tg_tls_session *tg_tls_session_new(struct tg_tls_context *context,
                                          int fd);

/* For who connects to `server`, a name or an address; keeps a reference. */
struct tg_tls_session *tg_tls_session_new_client(struct tg_tls_trust *trust,
                                                 int fd, const char *server);

/* Goes on with the handshake: 0 when it is done, otherwise as recv. */
int tg_tls_session_handshake(struct tg_tls_session *session);

/* Tells the other side of the end, unless it was told or the session is broken.
 */
void tg_tls_session_free(struct tg_tls_session *session);

/* -EPROTOTYPE: the first byte begins no TLS; nothing was received.  -ESHUTDOWN,
 * of who connects: the socket is at its end, but TLS was not; what came may be
 * cut off. */
ssize_t tg_tls_session_recv(struct tg_tls_session *session, char *room,
                            size_t len);
ssize_t tg_tls_session_send(struct tg_tls_session *session,
                            const struct iovec *pieces, int n);

/* Did recv stop for lack of room?  No event of the socket tells of the rest. */
bool tg_tls_session_is_buffered(const struct tg_tls_session *session);

/* Does recv wait until the socket can be written to? */
bool tg_tls_session_wants_write(const struct tg_tls_session *session);

/* Does send wait until something can be received? */
bool tg_tls_session_wants_read(const struct tg_tls_session *session);

/* Why it failed, for who connects: one sentence, the session's; or NULL. */
const char *tg_tls_session_failure(const struct tg_tls_session *session);

/* Sends close_notify.  What a client sends afterwards is not decrypted; who has
 * connected goes on receiving. */
void tg_tls_session_end(struct tg_tls_session *session);

/* No close_notify will be sent: what was sent is not whole. */
void tg_tls_session_break(struct tg_tls_session *session);

/* --- what it is --- */

/* Strings are the session's or constant; `name` is NULL if none was sent, and
 * `protocol` unless one was agreed on (ALPN). */
struct tg_tls_facts {
    const char *version, *cipher, *name, *protocol;
    bool resumed;
};

void tg_tls_session_describe(struct tg_tls_session *session,
                             struct tg_tls_facts *facts);

/* The certificate the other side has shown; strings are its choice, but a CA
 * that is trusted has signed them, unless nobody verified it. */
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
