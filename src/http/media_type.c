// SPDX-License-Identifier: MIT
#include "http/media_type.h"

#include <string.h>

#include "http/bytes.h"

#define WORD(text)                                                             \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

struct word {
    const char *text;
    size_t len;
};

/* The type without parameters and the space before them. */
static size_t essence(const char *type, size_t len)
{
    const char *end = memchr(type, ';', len);

    len = end ? (size_t)(end - type) : len;
    while (len > 0 && (type[len - 1] == ' ' || type[len - 1] == '\t'))
        len--;
    return len;
}

bool tg_media_type_is(const char *type, size_t len, const char *other)
{
    return tg_bytes_spell(type, essence(type, len), other);
}

bool tg_media_type_is_compressible(const char *type, size_t len)
{
    static const struct word words[] = {
        WORD("application/json"),
        WORD("application/javascript"),
        WORD("application/xml"),
        WORD("application/wasm"),
        WORD("application/x-ndjson"),
        WORD("application/jsonl"),
        WORD("application/json-seq"),
        WORD("application/yaml"),
        WORD("application/toml"),
        WORD("application/sql"),
        WORD("application/rtf"),
        WORD("application/graphql"),
        WORD("application/ecmascript"),
        WORD("application/x-javascript"),
        WORD("application/x-sh"),
        WORD("application/x-www-form-urlencoded"),
        WORD("application/vnd.ms-fontobject"),
        WORD("font/ttf"),
        WORD("font/otf"),
        WORD("font/collection"),
        WORD("image/bmp"),
        WORD("image/vnd.microsoft.icon"),
        WORD("image/x-icon"),
    };
    static const struct word suffixes[] = {WORD("+json"), WORD("+xml"),
                                           WORD("+yaml"), WORD("+json-seq")};
    size_t i;

    len = essence(type, len);
    if (len > 5 && strncasecmp(type, "text/", 5) == 0)
        return true;
    for (i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (words[i].len == len && strncasecmp(type, words[i].text, len) == 0)
            return true;
    for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (suffixes[i].len < len &&
            strncasecmp(type + len - suffixes[i].len, suffixes[i].text,
                        suffixes[i].len) == 0)
            return true;
    return false;
}
