// SPDX-License-Identifier: MIT
#include "http/compression.h"

#include <string.h>
#include <strings.h>

#include "http/accept.h"
#include "http/bytes.h"
#include "http/connection.h"
#include "http/encoder.h"
#include "http/media_type.h"
#include "http/status.h"

enum {
    LENGTH_LEAST = 1024,           /* less fits a packet anyway */
    LENGTH_LARGE = 128 * 1024,     /* from here on time counts more than size */
    LENGTH_MOST = 4 * 1024 * 1024, /* more would hold up the thread */
    KEPT = 256 * 1024
};

#define LITERAL(text) text, sizeof(text) - 1

static bool has(const struct tg_headers *headers, const char *name)
{
    return tg_headers_find(headers, name, strlen(name), 0) >= 0;
}

/* Does a list among the fields of that name have the word? */
static bool lists(const struct tg_headers *headers, const char *name,
                  const char *word)
{
    int at = -1;

    while ((at = tg_headers_find(headers, name, strlen(name),
                                 (unsigned)(at + 1))) >= 0) {
        size_t len;
        const char *item = tg_headers_value(headers, (unsigned)at, &len);
        const char *end = item + len;

        while (item < end) {
            const char *comma = memchr(item, ',', (size_t)(end - item));
            const char *stop = comma ? comma : end, *next = stop + 1;

            tg_bytes_trim(&item, &stop);
            if (tg_bytes_spell(item, (size_t)(stop - item), word))
                return true;
            item = next;
        }
    }
    return false;
}

/* Does a field forbid other bytes, or speak of these (RFC 9110, 7.7;
 * RFC 9530)? */
static bool is_bound_to_bytes(const struct tg_headers *headers)
{
    static const char *const names[] = {"content-encoding", "content-range",
                                        "content-digest",   "repr-digest",
                                        "digest",           "content-md5"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (has(headers, names[i]))
            return true;
    return lists(headers, "cache-control", "no-transform");
}

static const char *type_of(const struct tg_exchange *x, const char *type,
                           size_t *len)
{
    const char *own = tg_headers_get(&x->response_headers, "content-type", len);

    if (!own && type)
        *len = strlen(type);
    return own ? own : type;
}

bool tg_compression_is_for(size_t len, const char *type, size_t type_len)
{
    return LENGTH_LEAST <= len && len <= LENGTH_MOST &&
           tg_media_type_is_compressible(type, type_len);
}

/* May it be encoded at all? */
static bool is_eligible(const struct tg_exchange *x, int status,
                        const char *type, size_t len)
{
    if (status == 205 || status == 206 || tg_status_is_bodiless(status))
        return false;
    return type && tg_media_type_is_compressible(type, len) &&
           (x->response_headers.count == 0 ||
            !is_bound_to_bytes(&x->response_headers));
}

/* Makes it one line, at the end. */
void tg_compression_vary(struct tg_headers *headers)
{
    struct tg_text value = {0};
    int at = -1;

    if (lists(headers, "vary", "*") ||
        lists(headers, "vary", "accept-encoding"))
        return;
    while ((at = tg_headers_find(headers, LITERAL("vary"),
                                 (unsigned)(at + 1))) >= 0) {
        size_t len;
        const char *line = tg_headers_value(headers, (unsigned)at, &len);

        tg_text_add(&value, line, len);
        tg_text_add(&value, ", ", len ? 2 : 0);
    }
    tg_text_adds(&value, "Accept-Encoding");
    tg_headers_replace(headers, "Vary", value.data, value.len);
    tg_text_release(&value);
}

/* Encoded bytes are not those that a strong validator speaks of (8.8.1). */
static void weaken_etag(struct tg_headers *headers)
{
    struct tg_text weak = {0};
    size_t len = 0;
    const char *strong = tg_headers_get(headers, "etag", &len);

    if (!len || *strong != '"')
        return;
    tg_text_adds(&weak, "W/");
    tg_text_add(&weak, strong, len);
    tg_headers_replace(headers, "ETag", weak.data, weak.len);
    tg_text_release(&weak);
}

void tg_compression_accept(const struct tg_exchange *x,
                           struct tg_accept *accept)
{
    const char *bytes = x->bytes.data;
    const struct tg_field *field;
    unsigned index = 0;

    while ((field = tg_head_field(&x->head, bytes, "accept-encoding", &index)))
        tg_accept_encoding(accept, bytes + field->value.at, field->value.len);
}

/* What the client likes best of those that were built in; the first of equals
 * is what we like best. */
static enum tg_coding choose(const struct tg_exchange *x,
                             const enum tg_coding *order, size_t n)
{
    enum tg_coding offered[TG_CODINGS];
    struct tg_accept accept = {0};
    size_t i, count = 0;

    for (i = 0; i < n; i++)
        if (tg_encoder_knows(order[i]))
            offered[count++] = order[i];
    tg_compression_accept(x, &accept);
    return tg_accept_choose(&accept, offered, count);
}

/* Zstandard takes a quarter of gzip's time for its size; Brotli is a tenth
 * smaller than gzip for twice its time. */
static enum tg_coding choose_for_whole(const struct tg_exchange *x)
{
    static const enum tg_coding order[] = {TG_CODING_ZSTD, TG_CODING_BROTLI,
                                           TG_CODING_GZIP};

    return choose(x, order, 3);
}

/* Brotli takes more than a megabyte for as long as the stream is open.  Events
 * are few bytes to many clients for a long time: what takes least is best. */
static enum tg_coding choose_for_stream(const struct tg_exchange *x,
                                        const char *type, size_t len)
{
    static const enum tg_coding order[] = {TG_CODING_ZSTD, TG_CODING_GZIP};
    static const enum tg_coding for_events[] = {TG_CODING_GZIP, TG_CODING_ZSTD};

    if (tg_media_type_is(type, len, "text/event-stream"))
        return choose(x, for_events, 2);
    return choose(x, order, 2);
}

/* What the fields say of an encoded response. */
static void mark(struct tg_headers *headers, enum tg_coding coding)
{
    const char *name = tg_coding_name(coding);

    tg_headers_add(headers, LITERAL("Content-Encoding"), name, strlen(name));
    tg_headers_remove(headers, LITERAL("accept-ranges"));
    weaken_etag(headers);
}

/* It stands for a response whose validator this client has as it was sent. */
static void mark_not_modified(struct tg_exchange *x)
{
    tg_compression_vary(&x->response_headers);
    if (choose_for_whole(x) != TG_CODING_IDENTITY)
        weaken_etag(&x->response_headers);
}

static void encode(struct tg_server *server, enum tg_coding coding,
                   struct iovec *content)
{
    enum tg_effort effort =
        content->iov_len < LENGTH_LARGE ? TG_EFFORT_WHOLE : TG_EFFORT_LARGE;
    struct tg_encoder *encoder =
        tg_encoder_take(&server->encoders, coding, effort);
    struct tg_text *out = &server->encoded;

    out->len = 0;
    if (out->cap > KEPT)
        tg_text_release(out);
    if (!encoder)
        return;
    tg_encoder_push(encoder, content->iov_base, content->iov_len, TG_PUSH_END,
                    out);
    tg_encoder_put(&server->encoders, encoder);
}

void tg_compression_whole(struct tg_exchange *x, int status, const char *type,
                          struct iovec *content)
{
    struct tg_server *server = x->connection->server;
    enum tg_coding coding;
    size_t len = 0;

    if (status == 304) {
        mark_not_modified(x);
        return;
    }
    if (content->iov_len < LENGTH_LEAST || content->iov_len > LENGTH_MOST)
        return;
    type = type_of(x, type, &len);
    if (!is_eligible(x, status, type, len))
        return;
    tg_compression_vary(&x->response_headers);
    coding = choose_for_whole(x);
    if (coding == TG_CODING_IDENTITY)
        return;
    encode(server, coding, content);
    if (server->encoded.len == 0 || server->encoded.len >= content->iov_len)
        return;
    mark(&x->response_headers, coding);
    content->iov_base = server->encoded.data;
    content->iov_len = server->encoded.len;
}

struct tg_encoder *tg_compression_stream(struct tg_exchange *x, int status,
                                         const char *type, int64_t length)
{
    struct tg_encoder *encoder = NULL;
    enum tg_coding coding;
    size_t len = 0;

    type = type_of(x, type, &len);
    if ((length >= 0 && length < LENGTH_LEAST) ||
        !is_eligible(x, status, type, len))
        return NULL;
    tg_compression_vary(&x->response_headers);
    coding = choose_for_stream(x, type, len);
    if (coding != TG_CODING_IDENTITY)
        encoder = tg_encoder_take(&x->connection->server->encoders, coding,
                                  TG_EFFORT_STREAM);
    if (encoder)
        mark(&x->response_headers, coding);
    return encoder;
}
