// SPDX-License-Identifier: MIT
/* Cookies, both ways.  What a Cookie field says lies inside it and holds no
 * separator; what passes the check becomes one Set-Cookie field with just the
 * attributes that were asked for.  The first byte is a set of flags; behind it
 * come name, value, path and domain, each on a line. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/cookie.h"
#include "http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_pairs(const char *at, size_t len)
{
    const char *start = at, *end = at + len;
    struct tg_cookie_pair pair;

    while (tg_cookie_next(&at, end, &pair)) {
        assert(pair.name >= start && pair.name + pair.name_len < end);
        assert(pair.value >= start && pair.value + pair.value_len <= end);
        assert(pair.name_len > 0);
        assert(!memchr(pair.name, ';', pair.name_len));
        assert(!memchr(pair.name, '=', pair.name_len));
        assert(!memchr(pair.value, ';', pair.value_len));
    }
}

static const char *take_line(const char **at, const char *end, size_t *len)
{
    const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

    *len = (size_t)((stop ? stop : end) - line);
    *at = stop ? stop + 1 : end;
    return line;
}

static void write_cookie(unsigned char flags, const char *at, size_t size)
{
    const char *end = at + size;
    struct tg_cookie cookie = {.max_age = 86400, .expires = 1800000000};
    char *room;
    size_t len, i, separators = 2; /* of Path and SameSite */

    cookie.name = take_line(&at, end, &cookie.name_len);
    cookie.value = take_line(&at, end, &cookie.value_len);
    cookie.path = take_line(&at, end, &cookie.path_len);
    if (at < end)
        cookie.domain = take_line(&at, end, &cookie.domain_len);
    separators += cookie.domain != NULL;
    separators += cookie.secure = flags & 1;
    separators += cookie.http_only = flags & 2;
    separators += cookie.partitioned = flags & 4;
    separators += cookie.has_max_age = flags & 8;
    separators += cookie.has_expires = flags & 16;
    cookie.same_site = (enum tg_same_site)((flags >> 5) % 3);
    if (tg_cookie_check(&cookie))
        return;
    room = malloc(TG_COOKIE_ROOM);
    len = tg_cookie_format(&cookie, room);
    assert(len <= TG_COOKIE_ROOM);
    assert(tg_headers_value_ok(room, len));
    for (i = 0; i < len; i++)
        separators -= room[i] == ';';
    assert(separators == 0);
    assert(tg_cookie_replaces(&cookie, room, len));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy;

    if (size == 0)
        return 0;
    copy = malloc(size);
    memcpy(copy, data, size);
    read_pairs(copy, size);
    write_cookie(data[0], copy + 1, size - 1);
    tg_cookie_replaces(
        &(struct tg_cookie){
            .name = "a", .name_len = 1, .path = "/", .path_len = 1},
        copy, size);
    free(copy);
    return 0;
}
