// SPDX-License-Identifier: MIT
/* Ranges lie inside the content and are together no more than it.  The first
 * eight bytes are its size. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_range ranges[TG_RANGES_MOST];
    int64_t length, left;
    char *value;
    int i, n;

    if (size <= sizeof(length))
        return 0;
    memcpy(&length, data, sizeof(length));
    length &= INT64_MAX;
    size -= sizeof(length);
    value = malloc(size);
    memcpy(value, data + sizeof(length), size);
    n = tg_range_parse(value, size, length, ranges);
    assert(-1 <= n && n <= TG_RANGES_MOST);
    left = length;
    for (i = 0; i < n; i++) {
        assert(ranges[i].at >= 0 && ranges[i].len > 0);
        assert(ranges[i].at <= length - ranges[i].len);
        left -= ranges[i].len;
        assert(left >= 0);
    }
    free(value);
    return 0;
}
