// SPDX-License-Identifier: MIT
#include "net/source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/scratch.h"
#include "net/stream.h"

enum { COPY_MOST = 64 * 1024 };

struct part {
    char *text; /* NULL: a range of the file, from `at` on */
    int64_t at, left;
};

struct tg_source {
    int fd;
    bool copies; /* the kernel cannot send this file by itself */
    size_t count, current;
    int64_t left;
    struct part *parts;
};

struct tg_source *tg_source_new(int fd)
{
    struct tg_source *source = tg_alloc(sizeof(*source));

    source->fd = fd;
    return source;
}

void tg_source_free(struct tg_source *source)
{
    size_t i;

    for (i = 0; i < source->count; i++)
        free(source->parts[i].text);
    free(source->parts);
    close(source->fd);
    free(source);
}

static void add(struct tg_source *source, struct part part)
{
    if (part.left == 0) {
        free(part.text);
        return;
    }
    source->parts =
        tg_realloc(source->parts, (source->count + 1) * sizeof(*source->parts));
    source->parts[source->count++] = part;
    source->left += part.left;
}

void tg_source_add_text(struct tg_source *source, const char *text, size_t len)
{
    add(source, (struct part){tg_strndup(text, len), 0, (int64_t)len});
}

void tg_source_add_range(struct tg_source *source, int64_t at, int64_t len)
{
    add(source, (struct part){NULL, at, len});
}

int64_t tg_source_left(const struct tg_source *source)
{
    return source->left;
}

static ssize_t send_bytes(struct tg_stream *stream, char *bytes, size_t len)
{
    struct iovec piece = {bytes, len};

    return tg_stream_send(stream, &piece, 1);
}

static ssize_t send_copy(struct tg_source *source, struct tg_stream *stream,
                         const struct part *part, size_t len)
{
    static _Thread_local struct tg_scratch scratch;
    char *room = tg_scratch_room(&scratch, COPY_MOST);
    ssize_t n;

    if (len > COPY_MOST)
        len = COPY_MOST;
    do
        n = pread(source->fd, room, len, part->at);
    while (n < 0 && errno == EINTR);
    return n > 0 ? send_bytes(stream, room, (size_t)n) : -ENODATA;
}

static ssize_t send_range(struct tg_source *source, struct tg_stream *stream,
                          const struct part *part, size_t most)
{
    size_t len = (uint64_t)part->left < most ? (size_t)part->left : most;
    off_t at = part->at;
    ssize_t n;

    if (stream->tls || source->copies)
        return send_copy(source, stream, part, len);
    n = sendfile(stream->fd, source->fd, &at, len);
    if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
        source->copies = true;
        return send_copy(source, stream, part, len);
    }
    if (n < 0)
        return errno == EIO ? -ENODATA : -errno;
    return n > 0 ? n : -ENODATA;
}

static ssize_t send_part(struct tg_source *source, struct tg_stream *stream,
                         struct part *part, size_t most)
{
    ssize_t n = part->text ? send_bytes(stream, part->text + part->at,
                                        (size_t)part->left)
                           : send_range(source, stream, part, most);

    if (n <= 0)
        return n ? n : -EAGAIN;
    part->at += n;
    part->left -= n;
    source->left -= n;
    if (part->left == 0)
        source->current++;
    return n;
}

ssize_t tg_source_send(struct tg_source *source, struct tg_stream *stream,
                       size_t most)
{
    size_t sent = 0;
    ssize_t n = 0;

    while (source->left && sent < most) {
        n = send_part(source, stream, &source->parts[source->current],
                      most - sent);
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    return sent && n != -ENODATA ? (ssize_t)sent : n;
}
