// SPDX-License-Identifier: MIT
/* Multipart content: what comes in pieces must mean what it means whole, and
 * what it says must lie inside the bytes.  The first line is the content-type,
 * all behind it the content. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    uint64_t sum; /* of all that the steps said, in order */
    unsigned parts;
    ssize_t end; /* 0, or minus a fault */
};

static void mix(struct outcome *outcome, const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        outcome->sum = outcome->sum * 31 + (uint8_t)at[i];
}

/* A copy of exact size, so that a read past the end is seen. */
static char *copy_of(const char *data, size_t len)
{
    char *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    return copy;
}

static void try_name(struct outcome *outcome, const char *text,
                     struct tg_span name)
{
    char *copy = copy_of(text + name.at, name.len);
    char *plain = malloc(name.len + 1), *safe = malloc(name.len + 1);
    size_t len = tg_multipart_unescape(copy, name.len, plain), safe_len;

    assert(len <= name.len);
    safe_len = tg_multipart_safe_name(plain, len, safe);
    assert(safe_len <= len && safe_len <= 255);
    assert(!memchr(safe, '/', safe_len) && !memchr(safe, 0, safe_len));
    assert(!safe_len || safe[0] != '.');
    mix(outcome, plain, len);
    mix(outcome, safe, safe_len);
    free(copy);
    free(plain);
    free(safe);
}

static void look_at(struct outcome *outcome,
                    const struct tg_multipart_step *step)
{
    char kind = (char)step->kind;

    if (step->kind == TG_MULTIPART_DATA)
        assert(step->len > 0);
    else if (step->kind != TG_MULTIPART_NONE)
        mix(outcome, &kind, 1);
    if (step->kind == TG_MULTIPART_PART || step->kind == TG_MULTIPART_DATA)
        mix(outcome, step->at, step->len);
    if (step->kind != TG_MULTIPART_PART)
        return;
    outcome->parts++;
    assert(step->nfields && step->nfields <= TG_MULTIPART_FIELDS);
    assert(step->name.at + step->name.len < step->len);
    assert(step->filename.at + step->filename.len < step->len);
    assert(step->type.at + step->type.len < step->len);
    try_name(outcome, step->at, step->name);
    if (step->has_filename)
        try_name(outcome, step->at, step->filename);
}

/* Each `step` bytes more are there: 0 is all at once. */
static struct outcome run(const char *type, size_t type_len, const char *data,
                          size_t len, size_t step)
{
    size_t used = 0, have = step && step < len ? step : len;
    struct tg_multipart_step found = {.kind = TG_MULTIPART_NONE};
    struct tg_multipart m;
    struct outcome outcome = {0};

    if (!tg_multipart_init(&m, type, type_len) || !m.delimiter_len)
        return outcome;
    while (found.kind != TG_MULTIPART_END) {
        char *copy = copy_of(data + used, have - used);
        ssize_t n =
            tg_multipart_decode(&m, copy, have - used, have == len, &found);

        assert(n <= (ssize_t)(have - used));
        if (n < 0) {
            assert(tg_multipart_decode(&m, copy, 0, true, &found) == n);
            assert(*tg_multipart_describe((enum tg_multipart_fault) - n));
            outcome.end = n;
            free(copy);
            return outcome;
        }
        look_at(&outcome, &found);
        free(copy);
        used += (size_t)n;
        if (n == 0 && found.kind != TG_MULTIPART_END) {
            assert(have < len);
            have = len - have < step ? len : have + step;
        }
    }
    assert(used == len);
    return outcome;
}

static void compare(struct outcome a, struct outcome b)
{
    assert(a.end == b.end && a.parts == b.parts && a.sum == b.sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *line = size ? memchr(bytes, '\n', size) : NULL;
    size_t type_len = line ? (size_t)(line - bytes) : size;
    const char *content = line ? line + 1 : bytes + size;
    size_t len = size - (size_t)(content - bytes);
    char *type = copy_of(bytes, type_len);
    struct outcome whole = run(type, type_len, content, len, 0);

    compare(whole, run(type, type_len, content, len, 7));
    if (len < 1024)
        compare(whole, run(type, type_len, content, len, 1));
    free(type);
    return 0;
}
