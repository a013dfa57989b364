// SPDX-License-Identifier: MIT
#include "net/buffer.h"

#include <event2/buffer.h>

#include "base/alloc.h"

static struct evbuffer *ev(const struct tg_buffer *buffer)
{
    return (struct evbuffer *)(void *)buffer;
}

struct tg_buffer *tg_buffer_new(void)
{
    return (struct tg_buffer *)(void *)evbuffer_new();
}

void tg_buffer_free(struct tg_buffer *buffer)
{
    evbuffer_free(ev(buffer));
}

size_t tg_buffer_len(const struct tg_buffer *buffer)
{
    return evbuffer_get_length(ev(buffer));
}

void tg_buffer_add(struct tg_buffer *buffer, const void *data, size_t len)
{
    evbuffer_add(ev(buffer), data, len);
}

size_t tg_buffer_peek(struct tg_buffer *buffer, void *room, size_t len)
{
    return (size_t)evbuffer_copyout(ev(buffer), room, len);
}

size_t tg_buffer_take(struct tg_buffer *buffer, void *room, size_t len)
{
    return (size_t)evbuffer_remove(ev(buffer), room, len);
}

void tg_buffer_drain(struct tg_buffer *buffer, size_t len)
{
    evbuffer_drain(ev(buffer), len);
}

size_t tg_buffer_move(struct tg_buffer *from, struct tg_buffer *to, size_t len)
{
    size_t have = tg_buffer_len(from);

    if (len >= have) {
        evbuffer_add_buffer(ev(to), ev(from));
        return have;
    }
    return (size_t)evbuffer_remove_buffer(ev(from), ev(to), len);
}

ssize_t tg_buffer_find(struct tg_buffer *buffer, const char *what, size_t len,
                       size_t start)
{
    struct evbuffer_ptr from;

    if (start > tg_buffer_len(buffer))
        return -1;
    evbuffer_ptr_set(ev(buffer), &from, start, EVBUFFER_PTR_SET);
    return evbuffer_search(ev(buffer), what, len, &from).pos;
}

char tg_buffer_at(struct tg_buffer *buffer, size_t at)
{
    struct evbuffer_ptr from;
    struct evbuffer_iovec piece;

    evbuffer_ptr_set(ev(buffer), &from, at, EVBUFFER_PTR_SET);
    evbuffer_peek(ev(buffer), 1, &from, &piece, 1);
    return *(const char *)piece.iov_base;
}

const char *tg_buffer_bytes(struct tg_buffer *buffer)
{
    const char *bytes = (const char *)evbuffer_pullup(ev(buffer), -1);

    return bytes ? bytes : "";
}

const char *tg_buffer_front(struct tg_buffer *buffer, size_t most, size_t *len)
{
    size_t have = tg_buffer_len(buffer);
    const char *bytes;

    *len = have < most ? have : most;
    bytes = (const char *)evbuffer_pullup(ev(buffer), (ssize_t)*len);
    return bytes ? bytes : "";
}

int tg_buffer_pieces(struct tg_buffer *buffer, struct iovec *pieces, int max)
{
    /* evbuffer_iovec is a struct iovec, on every Unix */
    int n = evbuffer_peek(ev(buffer), -1, NULL, pieces, max);

    return n < max ? n : max;
}
