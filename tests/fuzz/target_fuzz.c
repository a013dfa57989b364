// SPDX-License-Identifier: MIT
/* Targets: the decoded path begins with a slash, has no dot segment and no NUL,
 * and decodes to itself; every pair of the query lies inside it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path, size_t len)
{
    const char *at = path, *end = path + len;

    assert(!memchr(path, '\0', len));
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t n = (size_t)((slash ? slash : end) - at);

        assert(!(n == 1 && at[0] == '.'));
        assert(!(n == 2 && at[0] == '.' && at[1] == '.'));
        at += n + 1;
    }
}

static void read_path(const char *path, size_t len)
{
    char *room = malloc(len ? len : 1);
    ssize_t n = tg_target_path(path, len, room);

    assert(n <= (ssize_t)len);
    if (n > 0 && *path == '/') {
        assert(*room == '/');
        check_path(room, (size_t)n);
    }
    if (n >= 0 && tg_target_is_plain(path, len))
        assert((size_t)n == len && memcmp(room, path, len) == 0);
    free(room);
}

static void read_query(const char *query, size_t len)
{
    const char *at = query, *end = query + len;
    char *room = malloc(len ? len : 1);
    struct tg_query_pair pair;

    while (tg_query_next(&at, end, &pair)) {
        assert(pair.name >= query && pair.name + pair.name_len <= end);
        assert(!pair.value_len || pair.value + pair.value_len <= end);
        assert(tg_query_decode(pair.name, pair.name_len, room) <=
               pair.name_len);
        if (pair.value_len)
            tg_query_decode(pair.value, pair.value_len, room);
    }
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_target parts = {0};
    char *target;

    if (size == 0 || memchr(data, '\0', size))
        return 0; /* framing lets none pass */
    target = malloc(size);
    memcpy(target, data, size);
    tg_target_split(target, size, &parts);
    if (parts.path)
        read_path(parts.path, parts.path_len);
    if (parts.query)
        read_query(parts.query, parts.query_len);
    free(target);
    return 0;
}
