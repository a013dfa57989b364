// SPDX-License-Identifier: MIT
/*
 * Formats response heads, on the hot path without printf (private to this
 * folder).
 */
#ifndef TG_HTTP_WRITER_H
#define TG_HTTP_WRITER_H

#include "http/headers.h"

struct tg_writer_head {
    int status;
    const struct tg_headers *headers;
    const char *type; /* content-type, unless the headers have one; or NULL */
    int64_t length;   /* content-length; -1: none */
    bool chunked;
    bool close;      /* Connection: close */
    bool keep_alive; /* Connection: keep-alive, for HTTP/1.0 */
};

/*
 * Replaces `out` with the head and its empty line.  Fields that framing owns
 * (Content-Length, Transfer-Encoding, Connection) are left out of `headers`.
 */
void tg_writer_format(const struct tg_writer_head *head, struct tg_text *out);

#endif
