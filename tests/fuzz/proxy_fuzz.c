// SPDX-License-Identifier: MIT
/* PROXY headers: what comes in pieces means what it means whole, nothing
 * behind a header changes it, and what is refused stays refused. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exact size, so that a read past the end is seen. */
static ssize_t parse(struct tg_address *client, const uint8_t *data, size_t len)
{
    char *copy = malloc(len ? len : 1);
    ssize_t n;

    if (len)
        memcpy(copy, data, len);
    memset(client, 0, sizeof(*client));
    n = tg_proxy_parse(client, copy, len);
    free(copy);
    assert(n >= -1 && n <= (ssize_t)len && n <= TG_PROXY_SIZE);
    if (n <= 0)
        assert(client->kind == TG_ADDRESS_NONE);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_address whole, part;
    ssize_t n = parse(&whole, data, size);
    size_t len, step = size > 256 ? 61 : 1;

    assert(n != 0 || size < TG_PROXY_SIZE);
    for (len = 0; len < size; len += step) {
        ssize_t m = parse(&part, data, len);

        if (m == 0)
            assert(n <= 0 || len < (size_t)n);
        else
            assert(m == n && memcmp(&whole, &part, sizeof(whole)) == 0);
    }
    if (n > 0)
        assert(parse(&part, data, (size_t)n) == n);
    return 0;
}
