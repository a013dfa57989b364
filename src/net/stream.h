// SPDX-License-Identifier: MIT
/*
 * A stream of bytes to a client: a connected socket that does not block.
 *
 * The owner of the descriptor closes it.  Each function returns the bytes it
 * moved, or -errno: -EAGAIN says to wait for the socket, -EINTR to try again.
 */
#ifndef TG_NET_STREAM_H
#define TG_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct tg_buffer;

struct tg_stream {
    int fd;
};

void tg_stream_init(struct tg_stream *stream, int fd);

/* Receives up to `len` bytes; 0: the client will send no more. */
ssize_t tg_stream_recv(struct tg_stream *stream, char *room, size_t len);

ssize_t tg_stream_send(struct tg_stream *stream, const struct iovec *pieces,
                       int n);

/* Sends from the front of the buffer and drains what went out. */
ssize_t tg_stream_send_buffer(struct tg_stream *stream,
                              struct tg_buffer *buffer);

/* Has anything come that tg_stream_recv() did not give yet? */
bool tg_stream_has_more(const struct tg_stream *stream);

/* Tells the client that nothing more will be sent. */
void tg_stream_end(struct tg_stream *stream);

/* Has the other side closed both directions? */
bool tg_stream_is_hung_up(const struct tg_stream *stream);

#endif
