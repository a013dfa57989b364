// SPDX-License-Identifier: MIT
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/census.h"
#include "base/scratch.h"
#include "net/buffer.h"
#include "net/loop.h"
#include "net/socket_name.h"

enum { PIECE_MOST = 64 * 1024 };

/* Somebody who is called when the socket is ready. */
struct interest {
    struct event *event; /* NULL: nobody is */
    tg_socket_fn *fn;
    void *arg;
};

struct tg_socket {
    struct tg_loop *loop;
    struct tg_stream stream;
    struct tg_buffer *in, *out;
    struct interest receiver, sender;
    int fd;
    bool has_ended; /* nothing more will be received, */
    int error;      /* since that happened; 0: the other side is done */
};

struct tg_socket *tg_socket_new(struct tg_loop *loop, int fd)
{
    struct tg_socket *self = tg_alloc(sizeof(*self));

    self->loop = loop;
    self->fd = fd;
    self->in = tg_buffer_new();
    self->out = tg_buffer_new();
    tg_stream_init(&self->stream, fd);
    tg_census.sockets++;
    return self;
}

static void forget(struct interest *interest)
{
    if (interest->event)
        event_free(interest->event);
    *interest = (struct interest){0};
}

void tg_socket_free(struct tg_socket *self)
{
    forget(&self->receiver);
    forget(&self->sender);
    tg_stream_release(&self->stream);
    close(self->fd);
    tg_buffer_free(self->in);
    tg_buffer_free(self->out);
    free(self);
    tg_census.sockets--;
}

struct tg_stream *tg_socket_stream(struct tg_socket *self)
{
    return &self->stream;
}

struct tg_buffer *tg_socket_in(struct tg_socket *self)
{
    return self->in;
}

struct tg_buffer *tg_socket_out(struct tg_socket *self)
{
    return self->out;
}

ssize_t tg_socket_receive(struct tg_socket *self, size_t most)
{
    static _Thread_local struct tg_scratch scratch;
    char *room = tg_scratch_room(&scratch, PIECE_MOST);
    ssize_t n;

    if (self->has_ended)
        return self->error;
    do
        n = tg_stream_recv(&self->stream, room,
                           most < PIECE_MOST ? most : PIECE_MOST);
    while (n == -EINTR);
    if (n > 0) {
        tg_buffer_add(self->in, room, (size_t)n);
    } else if (n != -EAGAIN) {
        self->has_ended = true;
        self->error = (int)n;
    }
    return n;
}

int tg_socket_send(struct tg_socket *self)
{
    ssize_t n;

    while (tg_buffer_len(self->out) > 0) {
        n = tg_stream_send_buffer(&self->stream, self->out);
        if (n < 0 && n != -EINTR)
            return (int)n;
    }
    return 0;
}

/* Who is called may ask again, or free the socket. */
static void call(struct interest *interest)
{
    struct interest copy = *interest;

    *interest = (struct interest){0};
    event_free(copy.event);
    copy.fn(copy.arg);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    call(arg);
}

static void await(struct tg_socket *self, struct interest *interest, short what,
                  tg_socket_fn *fn, void *arg)
{
    forget(interest);
    if (!fn)
        return;
    interest->fn = fn;
    interest->arg = arg;
    interest->event =
        event_new(tg_loop_base(self->loop), self->fd, what, on_ready, interest);
    event_add(interest->event, NULL);
}

void tg_socket_on_receive(struct tg_socket *self, tg_socket_fn *fn, void *arg)
{
    await(self, &self->receiver,
          tg_stream_wants_write(&self->stream) ? EV_WRITE : EV_READ, fn, arg);
    if (fn && tg_stream_is_buffered(&self->stream))
        event_active(self->receiver.event, EV_READ, 0);
}

void tg_socket_on_send(struct tg_socket *self, tg_socket_fn *fn, void *arg)
{
    await(self, &self->sender,
          tg_stream_wants_read(&self->stream) ? EV_READ : EV_WRITE, fn, arg);
}

void tg_socket_peer(const struct tg_socket *self, struct tg_address *address)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof(name);

    *address = (struct tg_address){0};
    if (getpeername(self->fd, (struct sockaddr *)&name, &len) == 0)
        tg_socket_name_read((struct sockaddr *)&name, address);
}
