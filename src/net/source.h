// SPDX-License-Identifier: MIT
/*
 * A source: content that comes from a file, to be sent piece by piece as the
 * client takes it.  It is ranges of the file with text before, between and
 * behind them.  In the clear the kernel copies from file to socket.
 */
#ifndef TG_NET_SOURCE_H
#define TG_NET_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tg_source;
struct tg_stream;

/* Takes the descriptor of a regular file. */
struct tg_source *tg_source_new(int fd);
void tg_source_free(struct tg_source *source);

/* Both add at the end; text is copied. */
void tg_source_add_text(struct tg_source *source, const char *text, size_t len);
void tg_source_add_range(struct tg_source *source, int64_t at, int64_t len);

/* How many bytes are not sent yet. */
int64_t tg_source_left(const struct tg_source *source);

/*
 * Sends what the stream takes, about `most` bytes at most; returns how many, or
 * -errno as the stream does.  -ENODATA: the file is shorter than it was, or
 * cannot be read; what was promised cannot be sent.
 */
ssize_t tg_source_send(struct tg_source *source, struct tg_stream *stream,
                       size_t most);

#endif
