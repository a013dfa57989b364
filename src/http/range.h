// SPDX-License-Identifier: MIT
/*
 * Which bytes a Range field asks for (RFC 9110, 14.1 and 14.2).  Pure.
 */
#ifndef TG_HTTP_RANGE_H
#define TG_HTTP_RANGE_H

#include <stddef.h>
#include <stdint.h>

struct tg_range {
    int64_t at, len;
};

enum { TG_RANGES_MOST = 32 };

/*
 * Reads a field's value for content of `size` bytes into `ranges`, which has
 * room for TG_RANGES_MOST.  Returns how many there are, in the order asked
 * for; -1: none lies within the content (416); 0: the field is to be ignored,
 * because it is malformed, has another unit, or asks for more ranges or more
 * bytes than are worth it (14.2 leaves that to us).
 */
int tg_range_parse(const char *value, size_t len, int64_t size,
                   struct tg_range *ranges);

#endif
