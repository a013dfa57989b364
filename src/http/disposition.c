// SPDX-License-Identifier: MIT
#include "http/disposition.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Would it lead out of the folder, or break what is around it? */
static bool is_unsafe(char c)
{
    return (unsigned char)c < ' ' || c == 127 || c == '/' || c == '\\';
}

static bool is_plain(char c)
{
    return (unsigned char)c < 127 && !is_unsafe(c) && c != '"' && c != '%';
}

/* attr-char (RFC 8187, 3.2.1) */
static bool is_attribute(char c)
{
    return ('0' <= c && c <= '9') || ('A' <= (c & ~32) && (c & ~32) <= 'Z') ||
           (c && strchr("!#$&+-.^_`|~", c));
}

/* Is it UTF-8, and would "filename" alone not say it all? */
static bool needs_more(const char *name, size_t len)
{
    bool plain = true;
    size_t i, n;

    for (i = 0; i < len; i += n) {
        n = 1;
        if ((unsigned char)name[i] >= 128) {
            n = tg_text_sequence(name + i, len - i);
            if (n == 0)
                return false;
        }
        plain &= is_plain(name[i]) || is_unsafe(name[i]);
    }
    return !plain;
}

void tg_disposition_attachment(const char *name, size_t len,
                               struct tg_text *out)
{
    size_t i;

    tg_text_adds(out, "attachment; filename=\"");
    for (i = 0; i < len; i++) {
        bool is_tail = ((unsigned char)name[i] & 0xc0) == 0x80;

        if (is_plain(name[i]))
            tg_text_add(out, name + i, 1);
        else if (!is_tail) /* one for each character */
            tg_text_adds(out, "_");
    }
    tg_text_adds(out, "\"");
    if (!needs_more(name, len))
        return;
    tg_text_adds(out, "; filename*=UTF-8''");
    for (i = 0; i < len; i++) {
        if (is_unsafe(name[i]))
            tg_text_adds(out, "_");
        else if (is_attribute(name[i]))
            tg_text_add(out, name + i, 1);
        else
            tg_text_addf(out, "%%%02X", (unsigned char)name[i]);
    }
}
