// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

void tg_text_release(struct tg_text *text)
{
    free(text->data);
    *text = (struct tg_text){0};
}

char *tg_text_room(struct tg_text *text, size_t len)
{
    size_t need = text->len + len + 1;

    if (need > text->cap) {
        text->cap = need < 2 * text->cap ? 2 * text->cap : need;
        if (text->cap < 64)
            text->cap = 64;
        text->data = tg_realloc(text->data, text->cap);
    }
    return text->data + text->len;
}

void tg_text_add(struct tg_text *text, const char *data, size_t len)
{
    char *room = tg_text_room(text, len);

    if (len)
        memcpy(room, data, len);
    room[len] = '\0';
    text->len += len;
}

void tg_text_adds(struct tg_text *text, const char *string)
{
    tg_text_add(text, string, strlen(string));
}

void tg_text_addv(struct tg_text *text, const char *format, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        vsnprintf(tg_text_room(text, (size_t)len), (size_t)len + 1, format,
                  again);
        text->len += (size_t)len;
    }
    va_end(again);
}

void tg_text_addf(struct tg_text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tg_text_addv(text, format, args);
    va_end(args);
}

size_t tg_text_sequence(const char *data, size_t len)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)data;
    size_t n = at[0] < 0xc2   ? 0
               : at[0] < 0xe0 ? 2
               : at[0] < 0xf0 ? 3
               : at[0] < 0xf5 ? 4
                              : 0;
    unsigned long code = n ? at[0] & (0x7f >> n) : 0;
    size_t i;

    if (n == 0 || n > len)
        return 0;
    for (i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || code >> 11 == 0x1b)
        return 0;
    return code < 0xa0 ? 0 : n; /* C1 controls are written as escapes */
}

static void add_escaped(struct tg_text *text, unsigned char c)
{
    static const char shorts[] = "\"\"\\\\\nn\rr\tt";
    const char *pair;

    for (pair = shorts; *pair; pair += 2) {
        if ((unsigned char)*pair == c) {
            tg_text_addf(text, "\\%c", pair[1]);
            return;
        }
    }
    tg_text_addf(text, "\\u%04x", c);
}

void tg_text_add_quoted(struct tg_text *text, const char *data, size_t len)
{
    size_t i, run = 0;

    tg_text_add(text, "\"", 1);
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        size_t n = c < 0x80 ? 0 : tg_text_sequence(data + i, len - i);

        if (n > 0 || (0x20 <= c && c < 0x7f && c != '"' && c != '\\')) {
            i += n ? n - 1 : 0;
            continue;
        }
        tg_text_add(text, data + run, i - run);
        add_escaped(text, c);
        run = i + 1;
    }
    tg_text_add(text, data + run, len - run);
    tg_text_add(text, "\"", 1);
}

void tg_text_drain(struct tg_text *text, size_t len)
{
    text->len -= len;
    memmove(text->data, text->data + len, text->len + 1);
}

bool tg_text_add_file(struct tg_text *text, const char *path, size_t most)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t end = text->len + most;
    ssize_t n = 1;

    if (fd < 0)
        return false;
    while (n > 0 && text->len < end) {
        n = read(fd, tg_text_room(text, 4096), 4095);
        if (n > 0)
            text->len += (size_t)n;
    }
    tg_text_add(text, "", 0); /* its NUL */
    close(fd);
    return true;
}
