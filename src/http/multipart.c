// SPDX-License-Identifier: MIT
#include "http/multipart.h"

#include <string.h>

/* RFC 2046, 5.1.1: bchars; the last one is no space. */
static bool is_boundary(const char *at, size_t len)
{
    static const char others[] = "'()+_,-./:=? ";
    size_t i;

    if (len == 0 || len > TG_MULTIPART_BOUNDARY || at[len - 1] == ' ')
        return false;
    for (i = 0; i < len; i++) {
        char c = at[i];

        if (!(('0' <= c && c <= '9') || ('A' <= c && c <= 'Z') ||
              ('a' <= c && c <= 'z') || (c && strchr(others, c))))
            return false;
    }
    return true;
}

bool tg_multipart_init(struct tg_multipart *multipart, const char *boundary,
                       size_t len)
{
    if (!is_boundary(boundary, len))
        return false;
    multipart->state = TG_MULTIPART_BEGIN;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary, len);
    multipart->len = len + 4;
    return true;
}

/* How many bytes at the end of `data` may be the beginning of a delimiter. */
static size_t tail_of(const struct tg_multipart *multipart, const char *data,
                      size_t len)
{
    size_t n = len < multipart->len ? len : multipart->len - 1;

    for (; n > 0; n--)
        if (memcmp(data + len - n, multipart->delimiter, n) == 0)
            break;
    return n;
}

/* Up to the next boundary: of the preamble, or data. */
static ssize_t take(struct tg_multipart *multipart, const char *data,
                    size_t len, struct tg_part_run *run)
{
    bool is_data = multipart->state == TG_MULTIPART_DATA;
    const char *found = memmem(data, len, multipart->delimiter, multipart->len);
    size_t n =
        found ? (size_t)(found - data) : len - tail_of(multipart, data, len);

    if (n > 0) {
        if (is_data)
            *run = (struct tg_part_run){TG_PART_DATA, data, n};
        return (ssize_t)n;
    }
    if (!found)
        return 0;
    if (is_data)
        run->kind = TG_PART_END;
    multipart->state = TG_MULTIPART_LINE_END;
    return (ssize_t)multipart->len;
}

/* The first boundary may do without the line end before it. */
static ssize_t begin(struct tg_multipart *multipart, const char *data,
                     size_t len, struct tg_part_run *run)
{
    const char *line = multipart->delimiter + 2;
    size_t need = multipart->len - 2;

    if (memcmp(data, line, len < need ? len : need) != 0) {
        multipart->state = TG_MULTIPART_PREAMBLE;
        return take(multipart, data, len, run);
    }
    if (len < need)
        return 0;
    multipart->state = TG_MULTIPART_LINE_END;
    return (ssize_t)need;
}

/* Behind a boundary: "--" if it is the last one, or white space and a line
 * end. */
static ssize_t end_line(struct tg_multipart *multipart, const char *data,
                        size_t len)
{
    size_t n = 0;

    if (*data == '-') {
        if (len < 2)
            return 0;
        multipart->state = TG_MULTIPART_DONE;
        return data[1] == '-' ? 2 : -1;
    }
    while (n < len && (data[n] == ' ' || data[n] == '\t'))
        n++;
    if (n > TG_MULTIPART_PADDING)
        return -1;
    if (n == len)
        return 0;
    if (data[n] != '\r' || (n + 1 < len && data[n + 1] != '\n'))
        return -1;
    if (n + 1 == len)
        return 0;
    multipart->state = TG_MULTIPART_HEAD;
    return (ssize_t)n + 2;
}

static ssize_t take_head(struct tg_multipart *multipart, const char *data,
                         size_t len, struct tg_part_run *run)
{
    const char *end;
    size_t n;

    if (*data == '\r' && (len < 2 || data[1] == '\n')) {
        if (len < 2)
            return 0;
        *run = (struct tg_part_run){TG_PART_HEAD, data, 0};
        multipart->state = TG_MULTIPART_DATA;
        return 2;
    }
    end = memmem(data, len, "\r\n\r\n", 4);
    n = end ? (size_t)(end - data) + 2 : len;
    if (n > TG_MULTIPART_FIELDS + (end ? 0 : 3))
        return -1;
    if (!end)
        return 0;
    *run = (struct tg_part_run){TG_PART_HEAD, data, n};
    multipart->state = TG_MULTIPART_DATA;
    return (ssize_t)n + 2;
}

ssize_t tg_multipart_decode(struct tg_multipart *multipart, const char *data,
                            size_t len, struct tg_part_run *run)
{
    *run = (struct tg_part_run){.kind = TG_PART_NONE};
    if (len == 0)
        return 0;
    switch (multipart->state) {
    case TG_MULTIPART_BEGIN:
        return begin(multipart, data, len, run);
    case TG_MULTIPART_PREAMBLE:
    case TG_MULTIPART_DATA:
        return take(multipart, data, len, run);
    case TG_MULTIPART_LINE_END:
        return end_line(multipart, data, len);
    case TG_MULTIPART_HEAD:
        return take_head(multipart, data, len, run);
    case TG_MULTIPART_DONE:
        break;
    }
    return (ssize_t)len; /* the epilogue */
}
