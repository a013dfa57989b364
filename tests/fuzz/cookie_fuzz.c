// SPDX-License-Identifier: MIT
/* Cookie fields: names and values lie inside the text, in order, and hold
 * nothing that could end them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    const char *at = copy, *end = copy + size, *last = copy;
    struct tg_cookie cookie;

    memcpy(copy, data, size);
    while (tg_cookie_next(&at, end, &cookie)) {
        assert(cookie.name >= last && cookie.name_len > 0);
        assert(cookie.value > cookie.name);
        assert(cookie.value + cookie.value_len <= at && at <= end);
        assert(!memchr(cookie.name, '=', cookie.name_len));
        assert(!memchr(cookie.name, ';', cookie.name_len));
        assert(!memchr(cookie.value, ';', cookie.value_len));
        last = cookie.value;
    }
    assert(at == end);
    if (tg_cookie_is_value(copy, size)) {
        assert(tg_cookie_is_attribute(copy, size));
        assert(!memchr(copy, '\n', size) && !memchr(copy, '\0', size));
    }
    free(copy);
    return 0;
}
