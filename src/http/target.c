// SPDX-License-Identifier: MIT
#include "http/target.h"

#include <string.h>

#include "http/bytes.h"

/* The byte that "%XX" stands for, or -1. */
static int escape(const char *at, const char *end)
{
    int high, low;

    if (end - at < 3)
        return -1;
    high = tg_byte_hex(at[1]);
    low = tg_byte_hex(at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void tg_target_split(const char *target, size_t len, struct tg_target *parts)
{
    const char *end = target + len, *mark;

    if (len && *target != '/' && *target != '*') { /* scheme://authority */
        const char *colon = memchr(target, ':', len);

        target = colon && end - colon >= 3 ? colon + 3 : end;
        while (target < end && *target != '/' && *target != '?')
            target++;
    }
    mark = memchr(target, '?', (size_t)(end - target));
    parts->path = target;
    parts->path_len = (size_t)((mark ? mark : end) - target);
    if (parts->path_len == 0) {
        parts->path = "/";
        parts->path_len = 1;
    }
    parts->query = mark ? mark + 1 : NULL;
    parts->query_len = mark ? (size_t)(end - mark - 1) : 0;
}

bool tg_target_is_plain(const char *path, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (path[i] == '%' || (path[i] == '.' && i && path[i - 1] == '/'))
            return false;
    return true;
}

static ssize_t decode_path(const char *at, size_t len, char *room)
{
    const char *end = at + len;
    char *out = room;

    while (at < end) {
        int byte;

        if (*at != '%') {
            *out++ = *at++;
            continue;
        }
        byte = escape(at, end);
        if (byte <= 0)
            return -1;
        if (byte == '/') {
            memcpy(out, at, 3);
            out += 3;
        } else {
            *out++ = (char)byte;
        }
        at += 3;
    }
    return out - room;
}

static bool is_segment(const char *at, const char *end, const char *what)
{
    size_t len = strlen(what);

    return (size_t)(end - at) >= len && memcmp(at, what, len) == 0 &&
           (at + len == end || at[len] == '/');
}

/* RFC 3986, 5.2.4, in place. */
static size_t remove_dots(char *path, size_t len)
{
    char *in = path, *out = path, *end = path + len;

    while (in < end) {
        if (is_segment(in, end, "/.")) {
            in += 2;
        } else if (is_segment(in, end, "/..")) {
            in += 3;
            while (out > path && *--out != '/')
                ;
        } else {
            do
                *out++ = *in++;
            while (in < end && *in != '/');
            continue;
        }
        if (in == end)
            *out++ = '/';
    }
    return (size_t)(out - path);
}

ssize_t tg_target_path(const char *path, size_t len, char *room)
{
    ssize_t n = decode_path(path, len, room);

    return n < 0 ? n : (ssize_t)remove_dots(room, (size_t)n);
}

bool tg_query_next(const char **at, const char *end, struct tg_query_pair *pair)
{
    const char *start = *at, *stop, *equals;

    while (start < end && *start == '&')
        start++;
    if (start >= end)
        return false;
    stop = memchr(start, '&', (size_t)(end - start));
    if (!stop)
        stop = end;
    equals = memchr(start, '=', (size_t)(stop - start));
    pair->name = start;
    pair->name_len = (size_t)((equals ? equals : stop) - start);
    pair->value = equals ? equals + 1 : stop;
    pair->value_len = (size_t)(stop - pair->value);
    *at = stop;
    return true;
}

size_t tg_query_decode(const char *text, size_t len, char *room)
{
    const char *end = text + len;
    char *out = room;

    while (text < end) {
        int byte = *text == '%' ? escape(text, end) : -1;

        if (byte >= 0) {
            *out++ = (char)byte;
            text += 3;
        } else {
            *out++ = (char)(*text == '+' ? ' ' : *text);
            text++;
        }
    }
    return (size_t)(out - room);
}
