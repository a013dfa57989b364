// SPDX-License-Identifier: MIT
#include "http/headers.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/bytes.h"

void tg_headers_release(struct tg_headers *headers)
{
    tg_text_release(&headers->bytes);
    free(headers->entries);
    *headers = (struct tg_headers){0};
}

void tg_headers_clear(struct tg_headers *headers)
{
    headers->bytes.len = 0;
    headers->count = 0;
}

bool tg_headers_name_ok(const char *name, size_t len)
{
    return len > 0 && tg_bytes_are(name, len, TG_BYTE_TOKEN);
}

bool tg_headers_value_ok(const char *value, size_t len)
{
    return tg_bytes_are_value(value, len);
}

void tg_headers_add(struct tg_headers *headers, const char *name,
                    size_t name_len, const char *value, size_t value_len)
{
    struct tg_headers_entry *entry;

    if (headers->count == headers->room) {
        headers->room = headers->room ? 2 * headers->room : 16;
        headers->entries = tg_realloc(
            headers->entries, headers->room * sizeof(*headers->entries));
    }
    entry = &headers->entries[headers->count++];
    entry->name_at = (uint32_t)headers->bytes.len;
    entry->name_len = (uint32_t)name_len;
    tg_text_add(&headers->bytes, name, name_len);
    entry->value_at = (uint32_t)headers->bytes.len;
    entry->value_len = (uint32_t)value_len;
    tg_text_add(&headers->bytes, value, value_len);
}

void tg_headers_remove_at(struct tg_headers *headers, unsigned index)
{
    struct tg_headers_entry *entry = &headers->entries[index];

    if (entry->value_at + entry->value_len == headers->bytes.len)
        headers->bytes.len = entry->name_at; /* it was the newest */
    headers->count--;
    memmove(entry, entry + 1, (headers->count - index) * sizeof(*entry));
}

void tg_headers_remove(struct tg_headers *headers, const char *name, size_t len)
{
    int index;

    while ((index = tg_headers_find(headers, name, len, 0)) >= 0)
        tg_headers_remove_at(headers, (unsigned)index);
}

int tg_headers_find(const struct tg_headers *headers, const char *name,
                    size_t len, unsigned from)
{
    unsigned i;

    for (i = from; i < headers->count; i++) {
        const struct tg_headers_entry *entry = &headers->entries[i];

        if (entry->name_len == len &&
            tg_bytes_alike(headers->bytes.data + entry->name_at, name, len))
            return (int)i;
    }
    return -1;
}

const char *tg_headers_name(const struct tg_headers *headers, unsigned index,
                            size_t *len)
{
    *len = headers->entries[index].name_len;
    return headers->bytes.data + headers->entries[index].name_at;
}

const char *tg_headers_value(const struct tg_headers *headers, unsigned index,
                             size_t *len)
{
    *len = headers->entries[index].value_len;
    return headers->bytes.data + headers->entries[index].value_at;
}

const char *tg_headers_get(const struct tg_headers *headers, const char *name,
                           size_t *len)
{
    int at = tg_headers_find(headers, name, strlen(name), 0);

    return at < 0 ? NULL : tg_headers_value(headers, (unsigned)at, len);
}

void tg_headers_replace(struct tg_headers *headers, const char *name,
                        const char *value, size_t len)
{
    size_t name_len = strlen(name);

    tg_headers_remove(headers, name, name_len);
    tg_headers_add(headers, name, name_len, value, len);
}
