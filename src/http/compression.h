// SPDX-License-Identifier: MIT
/*
 * Which responses are sent encoded, in what coding, and what their fields say
 * then (private to this folder).
 *
 * A response may be encoded if its type is worth it, it is not tiny, and
 * nothing it says speaks of these very bytes.  Such a response varies by
 * Accept-Encoding, whatever this client takes.
 */
#ifndef TG_HTTP_COMPRESSION_H
#define TG_HTTP_COMPRESSION_H

#include <stdbool.h>
#include <sys/uio.h>

struct tg_accept;
struct tg_encoder;
struct tg_exchange;

struct tg_headers;

/* Is content of that length and type ever encoded as a whole? */
bool tg_compression_is_for(size_t len, const char *type, size_t type_len);

/* Has the fields say that the response varies by Accept-Encoding. */
void tg_compression_vary(struct tg_headers *headers);

/* What the request says it takes. */
void tg_compression_accept(const struct tg_exchange *x,
                           struct tg_accept *accept);

/*
 * For a whole response that begins now: replaces `content` with the encoded
 * bytes, which hold until the server's next response, and sets the fields; or
 * leaves it as it is.  `type` counts unless the headers have one.
 */
void tg_compression_whole(struct tg_exchange *x, int status, const char *type,
                          struct iovec *content);

/*
 * For a stream that begins now, `length` bytes long or -1: sets the fields and
 * returns the encoder for it, to be given back to the server's pool; NULL: it
 * goes out as it is.
 */
struct tg_encoder *tg_compression_stream(struct tg_exchange *x, int status,
                                         const char *type, int64_t length);

#endif
