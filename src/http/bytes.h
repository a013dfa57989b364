// SPDX-License-Identifier: MIT
/*
 * What kind of byte is it?  The character classes of RFC 9110, 5.6 and
 * RFC 3986, as one table.
 */
#ifndef TG_HTTP_BYTES_H
#define TG_HTTP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
    TG_BYTE_TOKEN = 1,  /* of a token */
    TG_BYTE_VALUE = 2,  /* of a field value: no control byte but tab */
    TG_BYTE_TARGET = 4, /* of a request-target: visible, and no "#" */
    TG_BYTE_HOST = 8,   /* of a registered name, but for "%" */
    TG_BYTE_HEX = 16
};

extern const unsigned char tg_byte_classes[256];

static inline bool tg_byte_is(char c, int class)
{
    return tg_byte_classes[(unsigned char)c] & class;
}

/* Are all bytes of the class? */
static inline bool tg_bytes_are(const char *at, size_t len, int class)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!tg_byte_is(at[i], class))
            return false;
    return true;
}

/* White space around the parts of a field (RFC 9110, 5.6.3). */
static inline bool tg_byte_is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* What is behind white space, or behind a token, that may be empty. */
static inline const char *tg_bytes_skip_space(const char *at, const char *end)
{
    while (at < end && tg_byte_is_space(*at))
        at++;
    return at;
}

static inline const char *tg_bytes_skip_token(const char *at, const char *end)
{
    while (at < end && tg_byte_is(*at, TG_BYTE_TOKEN))
        at++;
    return at;
}

/* Takes white space off both ends. */
static inline void tg_bytes_trim(const char **from, const char **to)
{
    *from = tg_bytes_skip_space(*from, *to);
    while (*to > *from && tg_byte_is_space((*to)[-1]))
        --*to;
}

/* Are they bytes of a field value?  Eight at a time. */
bool tg_bytes_are_value(const char *at, size_t len);

/* Are two texts of this length the same but for case?  Most differ in their
 * first byte. */
static inline bool tg_bytes_alike(const char *at, const char *other, size_t len)
{
    return len == 0 ||
           (((*at ^ *other) & ~0x20) == 0 && strncasecmp(at, other, len) == 0);
}

/* Is the text this lower-case word, in whatever case? */
static inline bool tg_bytes_spell(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && tg_bytes_alike(at, word, len);
}

/* What a hexadecimal digit is worth; -1: it is none. */
int tg_byte_hex(char c);

#endif
