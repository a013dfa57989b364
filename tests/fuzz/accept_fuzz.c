// SPDX-License-Identifier: MIT
/* A field in two lines must mean what it means in one, and what is chosen must
 * be taken. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy of exact size, so that a read past the end is seen. */
static void read_line(struct tg_accept *accept, const uint8_t *data, size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (len)
        memcpy(copy, data, len);
    tg_accept_encoding(accept, copy, len);
    free(copy);
}

static void check(const struct tg_accept *accept)
{
    static const enum tg_coding all[] = {TG_CODING_ZSTD, TG_CODING_BROTLI,
                                         TG_CODING_GZIP};
    enum tg_coding chosen = tg_accept_choose(accept, all, 3);
    int coding, q = tg_accept_quality(accept, chosen);

    for (coding = 0; coding < TG_CODINGS; coding++) {
        int other = tg_accept_quality(accept, (enum tg_coding)coding);

        assert(0 <= other && other <= 1000);
        if (coding != TG_CODING_IDENTITY)
            assert(other <= q || chosen == TG_CODING_IDENTITY);
    }
    assert(q > 0 || chosen == TG_CODING_IDENTITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_accept whole = {0};
    size_t i;

    read_line(&whole, data, size);
    check(&whole);
    for (i = 0; i < size && i < 256; i++) {
        struct tg_accept halves = {0};

        if (data[i] != ',')
            continue;
        read_line(&halves, data, i);
        read_line(&halves, data + i + 1, size - i - 1);
        assert(halves.malformed == whole.malformed);
        assert(whole.malformed || memcmp(&halves, &whole, sizeof(whole)) == 0);
    }
    return 0;
}
