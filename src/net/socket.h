// SPDX-License-Identifier: MIT
/*
 * A socket that is connected to somebody: a stream with what was received and
 * not read yet, and what was written and not sent yet.  It belongs to its loop
 * and is counted in the census.
 *
 * It waits for at most one who receives and one who sends.
 */
#ifndef TG_NET_SOCKET_H
#define TG_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/stream.h"

struct tg_address;
struct tg_buffer;
struct tg_loop;
struct tg_socket;

typedef void tg_socket_fn(void *arg);

/* Takes the descriptor, which does not block. */
struct tg_socket *tg_socket_new(struct tg_loop *loop, int fd);

/* Closes it; what was not sent is lost.  Nobody is called. */
void tg_socket_free(struct tg_socket *socket);

struct tg_stream *tg_socket_stream(struct tg_socket *socket);
struct tg_buffer *tg_socket_in(struct tg_socket *socket);
struct tg_buffer *tg_socket_out(struct tg_socket *socket);

/* Receives some bytes, at most about `most`, to the end of `in`.  Returns how
 * many, 0 at the end, or -errno as the stream does; an end is told again. */
ssize_t tg_socket_receive(struct tg_socket *socket, size_t most);

/* Sends what is in `out`, all of it, or some and -EAGAIN; or -errno. */
int tg_socket_send(struct tg_socket *socket);

/* Calls `fn` once, in the loop, when it may go on after -EAGAIN; NULL: not
 * so.  A handshake waits as who receives. */
void tg_socket_on_receive(struct tg_socket *socket, tg_socket_fn *fn,
                          void *arg);
void tg_socket_on_send(struct tg_socket *socket, tg_socket_fn *fn, void *arg);

/* The address of who it is connected to. */
void tg_socket_peer(const struct tg_socket *socket, struct tg_address *address);

#endif
