// SPDX-License-Identifier: MIT
/*
 * A stream of bytes to a client, or to a server of others: a connected socket
 * that does not block, in the clear or with TLS.
 *
 * The owner of the descriptor closes it, after tg_stream_release().  Each
 * function returns the bytes it moved, or -errno: -EAGAIN says to wait for the
 * socket, -EINTR to try again.  With TLS there are two more: -EPROTO, its rules
 * were broken; -EPROTOTYPE, the client does not speak TLS at all.
 * And of what we have connected: -ESHUTDOWN, the socket is at its end, but the
 * server has not said by TLS that it is, so what came may be cut off.
 */
#ifndef TG_NET_STREAM_H
#define TG_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct tg_buffer;
struct tg_tls_context;
struct tg_tls_session;
struct tg_tls_trust;

struct tg_stream {
    int fd;
    struct tg_tls_session *tls; /* NULL: in the clear */
};

void tg_stream_init(struct tg_stream *stream, int fd);

/* Ends what TLS began, and forgets the descriptor. */
void tg_stream_release(struct tg_stream *stream);

/* From here on the client is to speak TLS; takes the reference.  stop: it does
 * not, and goes on in the clear. */
void tg_stream_start_tls(struct tg_stream *stream,
                         struct tg_tls_context *context);
void tg_stream_stop_tls(struct tg_stream *stream);

/*
 * We have connected to `server`, a name or an address, and speak TLS from here
 * on; keeps a reference.  handshake: 0 when it is done, -EAGAIN to wait as for
 * recv; recv and send go on with it, too, so it need not be called.
 */
void tg_stream_start_tls_client(struct tg_stream *stream,
                                struct tg_tls_trust *trust, const char *server);
int tg_stream_handshake(struct tg_stream *stream);

/* Why TLS with a server has failed, after -EPROTO: one sentence, valid until
 * the stream is released; or NULL. */
const char *tg_stream_failure(const struct tg_stream *stream);

/* Receives up to `len` bytes; 0: the client will send no more. */
ssize_t tg_stream_recv(struct tg_stream *stream, char *room, size_t len);

ssize_t tg_stream_send(struct tg_stream *stream, const struct iovec *pieces,
                       int n);

/* The same where the end follows at once, by tg_stream_end() or close: in the
 * clear the last bytes and the end may then travel together. */
ssize_t tg_stream_send_last(struct tg_stream *stream,
                            const struct iovec *pieces, int n);

/* Sends from the front of the buffer and drains what went out. */
ssize_t tg_stream_send_buffer(struct tg_stream *stream,
                              struct tg_buffer *buffer);

/* Has anything come that tg_stream_recv() did not give yet? */
bool tg_stream_has_more(const struct tg_stream *stream);

/* Is some of that here already?  Then no event of the socket tells of it. */
bool tg_stream_is_buffered(const struct tg_stream *stream);

/* Must the socket become writable before anything can be received? */
bool tg_stream_wants_write(const struct tg_stream *stream);

/* Must something be received before anything can be sent?  Then -EAGAIN of
 * send waits for the socket to become readable. */
bool tg_stream_wants_read(const struct tg_stream *stream);

/* Tells the client that nothing more will be sent; what still comes from a
 * client is only good to be dropped. */
void tg_stream_end(struct tg_stream *stream);

/* What was sent is not whole: the client will not be told of an end. */
void tg_stream_break(struct tg_stream *stream);

/* Has the other side closed both directions? */
bool tg_stream_is_hung_up(const struct tg_stream *stream);

#endif
