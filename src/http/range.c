// SPDX-License-Identifier: MIT
#include "http/range.h"

#include <stdbool.h>

#include "http/bytes.h"

enum outcome { MALFORMED, OUTSIDE, INSIDE };

/* Numbers beyond what a file can have are as good as the largest.  *value is
 * -1 if there are no digits. */
static const char *read_number(const char *at, const char *end, int64_t *value)
{
    *value = -1;
    for (; at < end && '0' <= *at && *at <= '9'; at++) {
        int64_t had = *value < 0 ? 0 : *value, digit = *at - '0';

        *value = had > (INT64_MAX - digit) / 10 ? INT64_MAX : 10 * had + digit;
    }
    return at;
}

/* "first-", "first-last" or "-suffix". */
static enum outcome place(int64_t first, int64_t last, int64_t size,
                          struct tg_range *range)
{
    if (first < 0 && last < 0)
        return MALFORMED;
    if (first < 0) { /* a suffix */
        range->len = last < size ? last : size;
        range->at = size - range->len;
        return range->len ? INSIDE : OUTSIDE;
    }
    if (last >= 0 && last < first)
        return MALFORMED;
    if (first >= size)
        return OUTSIDE;
    if (last < 0 || last >= size)
        last = size - 1;
    range->at = first;
    range->len = last - first + 1;
    return INSIDE;
}

static const char *read_one(const char *at, const char *end, int64_t size,
                            struct tg_range *range, enum outcome *outcome)
{
    int64_t first, last;

    *outcome = MALFORMED;
    at = read_number(at, end, &first);
    if (at == end || *at != '-')
        return at;
    at = read_number(at + 1, end, &last);
    *outcome = place(first, last, size, range);
    return tg_bytes_skip_space(at, end);
}

int tg_range_parse(const char *value, size_t len, int64_t size,
                   struct tg_range *ranges)
{
    const char *at = value, *end = value + len;
    int64_t left = size;
    int count = 0, asked = 0;

    if (len < 6 || !tg_bytes_spell(at, 6, "bytes="))
        return 0;
    at = tg_bytes_skip_space(at + 6, end);
    while (at < end) {
        enum outcome outcome = OUTSIDE;
        struct tg_range range = {0, 0};

        if (*at != ',') { /* a list may have empty elements (5.6.1.2) */
            at = read_one(at, end, size, &range, &outcome);
            if (++asked > TG_RANGES_MOST || outcome == MALFORMED ||
                (at < end && *at != ','))
                return 0;
        }
        if (outcome == INSIDE) {
            left -= range.len;
            if (left < 0)
                return 0;
            ranges[count++] = range;
        }
        at = tg_bytes_skip_space(at < end ? at + 1 : at, end);
    }
    return count ? count : asked ? -1 : 0;
}
