// SPDX-License-Identifier: MIT
/*
 * A queue of bytes: an evbuffer.  Moving bytes from one buffer to another
 * copies nothing.
 */
#ifndef TG_NET_BUFFER_H
#define TG_NET_BUFFER_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct tg_buffer; /* is a struct evbuffer */

struct tg_buffer *tg_buffer_new(void);
void tg_buffer_free(struct tg_buffer *buffer);

size_t tg_buffer_len(const struct tg_buffer *buffer);
void tg_buffer_add(struct tg_buffer *buffer, const void *data, size_t len);

/* Copies up to `len` bytes from the front; returns how many. */
size_t tg_buffer_peek(struct tg_buffer *buffer, void *room, size_t len);
size_t tg_buffer_take(struct tg_buffer *buffer, void *room, size_t len);
void tg_buffer_drain(struct tg_buffer *buffer, size_t len);

/* Moves up to `len` bytes to the end of `to`; returns how many. */
size_t tg_buffer_move(struct tg_buffer *from, struct tg_buffer *to, size_t len);

/* Where `what` first stands at or after `start`, or -1. */
ssize_t tg_buffer_find(struct tg_buffer *buffer, const char *what, size_t len,
                       size_t start);

/* The byte at a place, which must be one of it. */
char tg_buffer_at(struct tg_buffer *buffer, size_t at);

/* All bytes in one piece; valid until the buffer changes. */
const char *tg_buffer_bytes(struct tg_buffer *buffer);

/* Up to `most` bytes from the front in one piece, and how many they are. */
const char *tg_buffer_front(struct tg_buffer *buffer, size_t most, size_t *len);

/* Up to `max` pieces of memory from the front on; returns how many. */
int tg_buffer_pieces(struct tg_buffer *buffer, struct iovec *pieces, int max);

#endif
