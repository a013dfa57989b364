// SPDX-License-Identifier: MIT
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/buffer.h"

void tg_stream_init(struct tg_stream *stream, int fd)
{
    stream->fd = fd;
}

ssize_t tg_stream_recv(struct tg_stream *stream, char *room, size_t len)
{
    ssize_t n = recv(stream->fd, room, len, 0);

    return n < 0 ? -errno : n;
}

ssize_t tg_stream_send(struct tg_stream *stream, const struct iovec *pieces,
                       int n)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)n};
    ssize_t sent = n == 1 ? send(stream->fd, pieces->iov_base, pieces->iov_len,
                                 MSG_NOSIGNAL)
                          : sendmsg(stream->fd, &message, MSG_NOSIGNAL);

    return sent < 0 ? -errno : sent;
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

    return ioctl(stream->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void tg_stream_end(struct tg_stream *stream)
{
    shutdown(stream->fd, SHUT_WR);
}

bool tg_stream_is_hung_up(const struct tg_stream *stream)
{
    struct pollfd p = {.fd = stream->fd};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}
