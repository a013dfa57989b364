// SPDX-License-Identifier: MIT
#include "http/bytes.h"

#include <stdint.h>
#include <string.h>

/* clang-format off */
const unsigned char tg_byte_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    2, 15, 6, 3, 15, 7, 15, 15, 14, 14, 15, 15, 14, 15, 15, 6,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 6, 14, 6, 14, 6, 6,
    6, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 6, 6, 7, 15,
    7, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 7, 6, 15, 0,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
};
/* clang-format on */

/* Eight bytes of ASCII from 0x20 to 0x7e are: a byte that is not of these has
 * its top bit set by itself, or by one of the sums. */
static inline bool are_visible(const char *at)
{
    const uint64_t ones = UINT64_MAX / 255, highs = ones << 7;
    uint64_t word;

    memcpy(&word, at, 8);
    return ((word | (word - ones * 0x20) | (word + ones)) & highs) == 0;
}

bool tg_bytes_are_value(const char *at, size_t len)
{
    const char *end = at + len;

    if (len < 8)
        return tg_bytes_are(at, len, TG_BYTE_VALUE);
    for (; end - at >= 8; at += 8)
        if (!are_visible(at) && !tg_bytes_are(at, 8, TG_BYTE_VALUE))
            return false;
    return are_visible(end - 8) ||
           tg_bytes_are(at, (size_t)(end - at), TG_BYTE_VALUE);
}

int tg_byte_hex(char c)
{
    if (!tg_byte_is(c, TG_BYTE_HEX))
        return -1;
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
