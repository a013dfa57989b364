// SPDX-License-Identifier: MIT
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/buffer.h"
#include "net/tls_session.h"

void tg_stream_init(struct tg_stream *stream, int fd)
{
    stream->fd = fd;
    stream->tls = NULL;
}

void tg_stream_release(struct tg_stream *stream)
{
    if (stream->tls)
        tg_tls_session_free(stream->tls);
    tg_stream_init(stream, -1);
}

void tg_stream_start_tls(struct tg_stream *stream,
                         struct tg_tls_context *context)
{
    stream->tls = tg_tls_session_new(context, stream->fd);
}

void tg_stream_stop_tls(struct tg_stream *stream)
{
    tg_tls_session_free(stream->tls);
    stream->tls = NULL;
}

void tg_stream_start_tls_client(struct tg_stream *stream,
                                struct tg_tls_trust *trust, const char *server)
{
    stream->tls = tg_tls_session_new_client(trust, stream->fd, server);
}

int tg_stream_handshake(struct tg_stream *stream)
{
    return stream->tls ? tg_tls_session_handshake(stream->tls) : 0;
}

const char *tg_stream_failure(const struct tg_stream *stream)
{
    return stream->tls ? tg_tls_session_failure(stream->tls) : NULL;
}

ssize_t tg_stream_recv(struct tg_stream *stream, char *room, size_t len)
{
    ssize_t n;

    if (stream->tls)
        return tg_tls_session_recv(stream->tls, room, len);
    n = recv(stream->fd, room, len, 0);
    return n < 0 ? -errno : n;
}

static ssize_t stream_send(struct tg_stream *stream, const struct iovec *pieces,
                           int n, int flags)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)n};
    ssize_t sent;

    if (stream->tls)
        return tg_tls_session_send(stream->tls, pieces, n);
    sent = n == 1 ? send(stream->fd, pieces->iov_base, pieces->iov_len, flags)
                  : sendmsg(stream->fd, &message, flags);
    return sent < 0 ? -errno : sent;
}

ssize_t tg_stream_send(struct tg_stream *stream, const struct iovec *pieces,
                       int n)
{
    return stream_send(stream, pieces, n, MSG_NOSIGNAL);
}

ssize_t tg_stream_send_last(struct tg_stream *stream,
                            const struct iovec *pieces, int n)
{
    return stream_send(stream, pieces, n, MSG_NOSIGNAL | MSG_MORE);
}

ssize_t tg_stream_send_buffer(struct tg_stream *stream,
                              struct tg_buffer *buffer)
{
    enum { PIECES = 16 };
    struct iovec pieces[PIECES];
    ssize_t sent = tg_stream_send(stream, pieces,
                                  tg_buffer_pieces(buffer, pieces, PIECES));

    if (sent > 0)
        tg_buffer_drain(buffer, (size_t)sent);
    return sent;
}

bool tg_stream_has_more(const struct tg_stream *stream)
{
    int waiting = 0;

    return tg_stream_is_buffered(stream) ||
           (ioctl(stream->fd, FIONREAD, &waiting) == 0 && waiting > 0);
}

bool tg_stream_is_buffered(const struct tg_stream *stream)
{
    return stream->tls && tg_tls_session_is_buffered(stream->tls);
}

bool tg_stream_wants_write(const struct tg_stream *stream)
{
    return stream->tls && tg_tls_session_wants_write(stream->tls);
}

bool tg_stream_wants_read(const struct tg_stream *stream)
{
    return stream->tls && tg_tls_session_wants_read(stream->tls);
}

void tg_stream_break(struct tg_stream *stream)
{
    if (stream->tls)
        tg_tls_session_break(stream->tls);
}

void tg_stream_end(struct tg_stream *stream)
{
    if (stream->tls)
        tg_tls_session_end(stream->tls);
    shutdown(stream->fd, SHUT_WR);
}

bool tg_stream_is_hung_up(const struct tg_stream *stream)
{
    struct pollfd p = {.fd = stream->fd};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}
