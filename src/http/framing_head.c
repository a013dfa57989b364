// SPDX-License-Identifier: MIT
#include "http/framing_head.h"

#include <string.h>

#include "http/bytes.h"
#include "http/framing_field.h"

int tg_head_read_version(struct tg_head *head, const char *at, size_t len)
{
    if (len != 8 || memcmp(at, "HTTP/", 5) != 0 || at[6] != '.' ||
        at[5] < '0' || at[5] > '9' || at[7] < '0' || at[7] > '9')
        return 400;
    if (at[5] != '1')
        return 505;
    head->minor = at[7] == '0' ? 0 : 1;
    head->keep_alive = head->minor > 0;
    return 0;
}

/* The next element of a comma-separated list, without white space around it.
 * False at the end. */
static bool next_element(const char **at, const char *end, struct tg_span *span,
                         const char *base)
{
    const char *stop, *from = *at;

    if (from > end)
        return false;
    stop = memchr(from, ',', (size_t)(end - from));
    if (!stop)
        stop = end;
    *at = stop + 1;
    *span = tg_field_trim(base, from, stop);
    return true;
}

static int read_length(struct tg_head *head, struct tg_sayings *said,
                       const char *at, size_t len)
{
    int64_t n = 0;
    size_t i;

    if (len == 0 || said->length)
        return 400;
    for (i = 0; i < len; i++) {
        int digit = at[i] - '0';

        if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
            return 400;
        n = n * 10 + digit;
    }
    head->content_length = n;
    said->length = true;
    return 0;
}

static int read_coding(struct tg_head *head, struct tg_sayings *said,
                       const char *at, size_t len)
{
    const char *base = at, *end = at + len;
    struct tg_span coding;

    said->coding = true;
    while (next_element(&at, end, &coding, base)) {
        if (head->chunked || coding.len == 0)
            return 400; /* chunked is the last, and only once */
        if (tg_bytes_spell(base + coding.at, coding.len, "chunked"))
            head->chunked = true;
        else
            said->other_coding = true;
    }
    return 0;
}

static void read_connection(struct tg_head *head, struct tg_sayings *said,
                            const char *at, size_t len)
{
    const char *base = at, *end = at + len;
    struct tg_span option;

    while (next_element(&at, end, &option, base)) {
        if (tg_bytes_spell(base + option.at, option.len, "close"))
            said->close = true;
        else if (tg_bytes_spell(base + option.at, option.len, "keep-alive"))
            head->keep_alive = true;
        else if (tg_bytes_spell(base + option.at, option.len, "upgrade"))
            head->upgrade = true;
    }
}

ssize_t tg_head_find_line(const char *data, size_t len, size_t start,
                          size_t *end, const struct tg_head_limits *limits)
{
    const char *lf = memchr(data + start, '\n', len - start);
    size_t at = lf ? (size_t)(lf - data) : len;

    if (start <= 2 && at - start > limits->line + 1)
        return -414;
    if (at + 1 > limits->size)
        return -431;
    if (!lf)
        return 0;
    if (at == start || data[at - 1] != '\r')
        return -400;
    *end = at - 1;
    return (ssize_t)at + 1;
}

bool tg_head_is_unchanged(const char *data, size_t len, size_t start,
                          size_t scanned, const struct tg_head_limits *limits)
{
    if (scanned <= start || memchr(data + scanned, '\n', len - scanned))
        return false;
    return (len < limits->line && len < limits->size) ||
           (len < limits->size && memchr(data + start, '\n', len - start));
}

int tg_head_read_field(struct tg_head *head, struct tg_sayings *said,
                       const struct tg_field *field, const char *data)
{
    const char *name = data + field->name.at, *value = data + field->value.at;
    size_t len = field->value.len;

    switch (field->name.len) {
    case 10:
        if (tg_bytes_spell(name, 10, "connection"))
            read_connection(head, said, value, len);
        break;
    case 14:
        if (tg_bytes_spell(name, 14, "content-length"))
            return read_length(head, said, value, len);
        break;
    case 17:
        if (tg_bytes_spell(name, 17, "transfer-encoding"))
            return read_coding(head, said, value, len);
        break;
    }
    return 0;
}
