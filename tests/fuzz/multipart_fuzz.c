// SPDX-License-Identifier: MIT
/* Multipart content: what comes in pieces must mean what it means whole.  The
 * first byte is the boundary's length, then it follows. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int error; /* -1: malformed */
    int state;
    unsigned parts, ends;
    size_t data;
    uint32_t sum;
};

static void note(struct outcome *outcome, const struct tg_part_run *run)
{
    size_t i;

    outcome->parts += run->kind == TG_PART_HEAD;
    outcome->ends += run->kind == TG_PART_END;
    if (run->kind == TG_PART_DATA)
        outcome->data += run->len;
    if (run->kind == TG_PART_HEAD || run->kind == TG_PART_DATA)
        for (i = 0; i < run->len; i++)
            outcome->sum = outcome->sum * 31 + (uint8_t)run->at[i];
}

/* Each `step` bytes more are there; what was not used is kept. */
static struct outcome run(struct tg_multipart multipart, const char *data,
                          size_t len, size_t step)
{
    struct outcome outcome = {0};
    size_t used = 0, have = 0;

    while (multipart.state != TG_MULTIPART_DONE) {
        struct tg_part_run part;
        char *copy = malloc(have - used ? have - used : 1);
        ssize_t n;

        memcpy(copy, data + used, have - used);
        n = tg_multipart_decode(&multipart, copy, have - used, &part);
        if (n > 0) {
            assert((size_t)n <= have - used);
            note(&outcome, &part);
            used += (size_t)n;
        }
        free(copy);
        if (n < 0) {
            outcome.error = -1;
            break;
        }
        if (n == 0 && have == len)
            break;
        if (n == 0)
            have = len - have < step ? len : have + step;
    }
    outcome.state = (int)multipart.state;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct tg_multipart multipart;
    struct outcome whole, pieces;
    size_t n = size ? data[0] % 71 : 0, step;

    if (size < n + 1 || !tg_multipart_init(&multipart, bytes + 1, n))
        return 0;
    bytes += n + 1;
    size -= n + 1;
    whole = run(multipart, bytes, size, size + 1);
    for (step = 1; step < 64 && size < 4096; step = step * 2 + 1) {
        pieces = run(multipart, bytes, size, step);
        assert(whole.error == pieces.error);
        if (whole.error == 0)
            assert(whole.state == pieces.state && whole.data == pieces.data &&
                   whole.sum == pieces.sum && whole.parts == pieces.parts &&
                   whole.ends == pieces.ends);
    }
    return 0;
}
