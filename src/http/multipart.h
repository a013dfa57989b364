// SPDX-License-Identifier: MIT
/*
 * The parts of multipart content, as they come (RFC 2046, 5.1; RFC 7578).
 *
 * Pure, as framing is: no socket, no allocation.  What comes before the first
 * boundary and behind the last one is dropped.
 */
#ifndef TG_HTTP_MULTIPART_H
#define TG_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    TG_MULTIPART_BOUNDARY = 70, /* bytes, at most */
    TG_MULTIPART_FIELDS = 8192, /* bytes of a part's fields, at most */
    TG_MULTIPART_PADDING = 64   /* white space behind a boundary, at most */
};

enum tg_multipart_state {
    TG_MULTIPART_BEGIN,
    TG_MULTIPART_PREAMBLE,
    TG_MULTIPART_LINE_END, /* of a boundary */
    TG_MULTIPART_HEAD,
    TG_MULTIPART_DATA,
    TG_MULTIPART_DONE
};

struct tg_multipart {
    enum tg_multipart_state state;
    size_t len;                                /* of the delimiter */
    char delimiter[TG_MULTIPART_BOUNDARY + 4]; /* CR LF "--" boundary */
};

enum tg_part_kind {
    TG_PART_NONE,
    TG_PART_HEAD, /* a part begins: its field lines, each with its CR LF */
    TG_PART_DATA,
    TG_PART_END
};

struct tg_part_run {
    enum tg_part_kind kind;
    const char *at; /* inside the bytes that were given */
    size_t len;
};

/* False if that is no boundary. */
bool tg_multipart_init(struct tg_multipart *multipart, const char *boundary,
                       size_t len);

/*
 * Decodes one step from `data`.  Returns how many bytes it used, 0 if it needs
 * more than there are (keep them and come again), or -1: it is malformed.
 * Call it until the state is TG_MULTIPART_DONE or it returns 0.
 */
ssize_t tg_multipart_decode(struct tg_multipart *multipart, const char *data,
                            size_t len, struct tg_part_run *run);

#endif
