// SPDX-License-Identifier: MIT
/* The request head (RFC 9112, sections 2 to 6).  Lines are read in order, and
 * what one says is judged with it; what only the whole can say, at the end. */
#include "http/framing.h"

#include <string.h>

#include "http/bytes.h"
#include "http/framing_field.h"
#include "http/framing_head.h"

enum { METHOD_LONGEST = 32 };

/* --- the request line --- */

bool tg_host_is_valid(const char *at, size_t len)
{
    const char *end = at + len;

    if (at < end && *at == '[') {
        const char *close = memchr(at, ']', len);

        if (!close || close == at + 1)
            return false;
        for (at++; at < close; at++)
            if (!tg_byte_is(*at, TG_BYTE_HOST) && *at != ':')
                return false;
        at = close + 1;
        if (at < end && *at != ':')
            return false;
    }
    for (; at < end && *at != ':'; at++) {
        if (tg_byte_is(*at, TG_BYTE_HOST))
            continue;
        if (*at != '%' || end - at < 3 || tg_byte_hex(at[1]) < 0 ||
            tg_byte_hex(at[2]) < 0)
            return false;
        at += 2;
    }
    if (at < end)
        at++;
    for (; at < end; at++)
        if (*at < '0' || *at > '9')
            return false;
    return true;
}

/* RFC 9112, 3.2.2: the authority stands for the Host field. */
static int read_absolute(struct tg_head *head, const char *data)
{
    const char *target = data + head->target.at;
    size_t len = head->target.len, scheme, n = 0;

    if (len > 7 && tg_bytes_spell(target, 7, "http://"))
        scheme = 7;
    else if (len > 8 && tg_bytes_spell(target, 8, "https://"))
        scheme = 8;
    else
        return 400;
    while (scheme + n < len && target[scheme + n] != '/' &&
           target[scheme + n] != '?')
        n++;
    if (n == 0 || !tg_host_is_valid(target + scheme, n))
        return 400;
    head->host.at = head->target.at + (uint32_t)scheme;
    head->host.len = (uint32_t)n;
    return 0;
}

static int read_target(struct tg_head *head, const char *data)
{
    const char *target = data + head->target.at;
    const char *method = data + head->method.at;
    size_t len = head->target.len;

    if (len == 0 || !tg_bytes_are(target, len, TG_BYTE_TARGET))
        return 400;
    if (*target == '/')
        return 0;
    if (head->method.len == 7 && memcmp(method, "CONNECT", 7) == 0)
        return 501;
    if (len == 1 && *target == '*')
        return head->method.len == 7 && memcmp(method, "OPTIONS", 7) == 0 ? 0
                                                                          : 400;
    return read_absolute(head, data);
}

static int read_request_line(struct tg_head *head, const char *data,
                             size_t start, size_t end)
{
    const char *at = data + start, *stop = data + end, *space;
    int status;

    space = memchr(at, ' ', end - start);
    if (!space || !tg_bytes_are(at, (size_t)(space - at), TG_BYTE_TOKEN))
        return 400;
    head->method = (struct tg_span){(uint32_t)start, (uint32_t)(space - at)};
    if (head->method.len > METHOD_LONGEST)
        return 501;

    at = space + 1;
    space = memchr(at, ' ', (size_t)(stop - at));
    if (!space)
        return 400;
    head->target =
        (struct tg_span){(uint32_t)(at - data), (uint32_t)(space - at)};
    status = tg_head_read_version(head, space + 1, (size_t)(stop - space - 1));
    return status ? status : read_target(head, data);
}

/* --- fields that frame --- */

static int read_host(struct tg_head *head, struct tg_sayings *said,
                     const struct tg_field *field, const char *data)
{
    if (said->host ||
        !tg_host_is_valid(data + field->value.at, field->value.len))
        return 400;
    said->host = true;
    if (head->host.len == 0)
        head->host = field->value;
    return 0;
}

static int read_expect(struct tg_head *head, const char *at, size_t len)
{
    if (head->minor == 0)
        return 0; /* RFC 9110, 10.1.1 */
    if (!tg_bytes_spell(at, len, "100-continue"))
        return 417;
    head->expect_continue = true;
    return 0;
}

static int read_field(struct tg_head *head, struct tg_sayings *said,
                      const struct tg_field *field, const char *data)
{
    const char *name = data + field->name.at, *value = data + field->value.at;
    size_t len = field->value.len;

    switch (field->name.len) { /* most fields are none of ours */
    case 4:
        if (tg_bytes_spell(name, 4, "host"))
            return read_host(head, said, field, data);
        break;
    case 6:
        if (tg_bytes_spell(name, 6, "expect"))
            return read_expect(head, value, len);
        break;
    default:
        return tg_head_read_field(head, said, field, data);
    }
    return 0;
}

/* What the lines say together. */
static int judge(struct tg_head *head, const struct tg_sayings *said)
{
    if (!said->host && head->minor > 0)
        return 400;
    if (said->coding && (said->length || head->minor == 0))
        return 400; /* two readers might see two ends (6.1) */
    if (said->other_coding)
        return 501;
    if (said->close)
        head->keep_alive = false;
    return 0;
}

/* --- lines --- */

static int read_line(struct tg_head *head, struct tg_sayings *said,
                     const char *data, size_t start, size_t end, unsigned most)
{
    struct tg_field *field = &head->fields[head->nfields];
    int status;

    if (head->method.len == 0)
        return read_request_line(head, data, start, end);
    if (head->nfields == most)
        return 431;
    status = tg_field_parse(field, data, start, end);
    if (status)
        return status;
    head->nfields++;
    return read_field(head, said, field, data);
}

ssize_t tg_head_parse(struct tg_head *head, const char *data, size_t len,
                      size_t *scanned, const struct tg_head_limits *limits)
{
    struct tg_sayings said = {0};
    size_t start = 0, end;
    ssize_t next;
    int status;

    head->method = head->target = head->host = (struct tg_span){0, 0};
    head->content_length = -1;
    head->nfields = 0;
    head->chunked = head->expect_continue = head->upgrade = false;

    if (len >= 2 && data[0] == '\r' && data[1] == '\n')
        start = 2; /* one empty line before it is let pass (2.2) */
    if (len > start && !tg_byte_is(data[start], TG_BYTE_TOKEN) &&
        !(len == 1 && *data == '\r'))
        return -400;
    if (tg_head_is_unchanged(data, len, start, *scanned, limits)) {
        *scanned = len;
        return 0;
    }
    for (;; start = (size_t)next) {
        next = tg_head_find_line(data, len, start, &end, limits);
        if (next <= 0)
            break;
        if (end == start) {
            status = head->method.len ? judge(head, &said) : 400;
            return status ? -status : next;
        }
        status = read_line(head, &said, data, start, end, limits->fields);
        if (status)
            return -status;
    }
    *scanned = len;
    return next;
}

const struct tg_field *tg_head_field(const struct tg_head *head,
                                     const char *bytes, const char *name,
                                     unsigned *index)
{
    while (*index < head->nfields) {
        const struct tg_field *field = &head->fields[(*index)++];

        if (tg_bytes_spell(bytes + field->name.at, field->name.len, name))
            return field;
    }
    return NULL;
}
