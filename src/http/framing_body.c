// SPDX-License-Identifier: MIT
/* Content by length, and chunked with its trailers (RFC 9112, 6 and 7). */
#include <string.h>

#include "http/bytes.h"
#include "http/framing.h"

void tg_body_init(struct tg_body *body, const struct tg_head *head)
{
    *body = (struct tg_body){.state = TG_BODY_DONE};
    if (head->chunked) {
        body->state = TG_BODY_CHUNK_SIZE;
    } else if (head->content_length > 0) {
        body->state = TG_BODY_LENGTH;
        body->left = (uint64_t)head->content_length;
    }
}

void tg_body_respond(struct tg_body *body, const struct tg_head *head,
                     bool to_head)
{
    if (to_head || head->status < 200 || head->status == 204 ||
        head->status == 304)
        *body = (struct tg_body){.state = TG_BODY_DONE};
    else if (head->chunked || head->content_length >= 0)
        tg_body_init(body, head);
    else
        *body = (struct tg_body){.state = TG_BODY_CLOSE};
}

static ssize_t take_content(struct tg_body *body, const char *data, size_t len,
                            enum tg_body_state next, struct tg_run *run)
{
    if (len > body->left)
        len = (size_t)body->left;
    *run = (struct tg_run){TG_RUN_DATA, data, len};
    body->left -= len;
    if (body->left == 0)
        body->state = next;
    return (ssize_t)len;
}

/* Returns what is behind the closing quote, or NULL. */
static const char *skip_quoted(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && ++at == end)
            return NULL;
        if (!tg_byte_is(*at, TG_BYTE_VALUE))
            return NULL;
    }
    return at < end ? at + 1 : NULL;
}

/* *( BWS ";" BWS name [ BWS "=" BWS value ] ), 7.1.1: checked, not used. */
static bool is_extension(const char *at, const char *end)
{
    const char *from;

    while (at < end) {
        at = tg_bytes_skip_space(at, end);
        if (at == end || *at != ';')
            return false;
        from = tg_bytes_skip_space(at + 1, end);
        at = tg_bytes_skip_token(from, end);
        if (at == from)
            return false;
        from = tg_bytes_skip_space(at, end);
        if (from == end || *from != '=') {
            at = from == end ? at : from;
            continue;
        }
        from = tg_bytes_skip_space(from + 1, end);
        if (from < end && *from == '"') {
            at = skip_quoted(from, end);
            if (!at)
                return false;
        } else {
            at = tg_bytes_skip_token(from, end);
            if (at == from)
                return false;
        }
    }
    return true;
}

/* The size line from `data` to its LF.  Returns 0 or a status. */
static int read_size(struct tg_body *body, const char *data, const char *lf)
{
    const char *at = data, *end = lf - 1;
    uint64_t size = 0;

    if (lf == data || *end != '\r')
        return 400;
    for (; at < end && tg_byte_hex(*at) >= 0; at++) {
        if (size > INT64_MAX >> 4)
            return 400;
        size = size << 4 | (unsigned)tg_byte_hex(*at);
    }
    if (at == data || !is_extension(at, end))
        return 400;
    body->left = size;
    body->state = size ? TG_BODY_CHUNK_DATA : TG_BODY_TRAILERS;
    return 0;
}

static ssize_t take_size(struct tg_body *body, const char *data, size_t len)
{
    const char *lf = memchr(data, '\n', len);
    size_t line = lf ? (size_t)(lf - data) : len;
    int status;

    if (tg_byte_hex(*data) < 0 || line > TG_CHUNK_LINE + 1)
        return -400;
    if (!lf)
        return 0;
    status = read_size(body, data, lf);
    return status ? -status : (ssize_t)line + 1;
}

static ssize_t take_chunk_end(struct tg_body *body, const char *data,
                              size_t len)
{
    if (*data != '\r' || (len > 1 && data[1] != '\n'))
        return -400;
    if (len < 2)
        return 0;
    body->state = TG_BODY_CHUNK_SIZE;
    return 2;
}

/* Fields that would frame, route or change the request when they come too
 * late to (RFC 9110, 6.5.1). */
static bool is_forbidden(const char *name, size_t len)
{
    static const char *const names[] = {
        "transfer-encoding",
        "content-length",
        "host",
        "trailer",
        "connection",
        "content-encoding",
        "content-type",
        "content-range",
        "authorization",
        "cookie",
        "expect",
        "te",
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (tg_bytes_spell(name, len, names[i]))
            return true;
    return false;
}

static int check_trailers(const char *data, size_t len)
{
    struct tg_field fields[TG_HEAD_FIELDS];
    int i, count = tg_fields_parse(fields, TG_HEAD_FIELDS, data, len);

    for (i = 0; i < count; i++)
        if (is_forbidden(data + fields[i].name.at, fields[i].name.len))
            return 400;
    return count < 0 ? -count : 0;
}

static ssize_t take_trailers(struct tg_body *body, const char *data, size_t len,
                             struct tg_run *run)
{
    size_t from = body->scanned > 3 ? body->scanned - 3 : 0;
    const char *end;
    size_t section;
    int status;

    if (len >= 2 && memcmp(data, "\r\n", 2) == 0) {
        body->state = TG_BODY_DONE;
        return 2;
    }
    end = memmem(data + from, len - from, "\r\n\r\n", 4);
    section = end ? (size_t)(end - data) + 2 : len;
    if (section > TG_TRAILERS_SIZE + (end ? 0 : 2))
        return -431;
    body->scanned = len;
    if (!end)
        return 0;
    status = check_trailers(data, section);
    if (status)
        return -status;
    *run = (struct tg_run){TG_RUN_TRAILERS, data, section};
    body->state = TG_BODY_DONE;
    return (ssize_t)section + 2;
}

ssize_t tg_body_decode(struct tg_body *body, const char *data, size_t len,
                       struct tg_run *run)
{
    *run = (struct tg_run){.kind = TG_RUN_NONE};
    if (len == 0)
        return 0;
    switch (body->state) {
    case TG_BODY_LENGTH:
        return take_content(body, data, len, TG_BODY_DONE, run);
    case TG_BODY_CHUNK_SIZE:
        return take_size(body, data, len);
    case TG_BODY_CHUNK_DATA:
        return take_content(body, data, len, TG_BODY_CHUNK_END, run);
    case TG_BODY_CHUNK_END:
        return take_chunk_end(body, data, len);
    case TG_BODY_TRAILERS:
        return take_trailers(body, data, len, run);
    case TG_BODY_CLOSE:
        *run = (struct tg_run){TG_RUN_DATA, data, len};
        return (ssize_t)len;
    case TG_BODY_DONE:
        break;
    }
    return 0;
}
