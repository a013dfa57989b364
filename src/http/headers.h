// SPDX-License-Identifier: MIT
/*
 * Header fields: ordered, multi-valued, found without regard to case.
 *
 * Zeroed it is empty.  Names and values are copied; pointers that are handed
 * out hold until the next change.
 */
#ifndef TG_HTTP_HEADERS_H
#define TG_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Bytes that a response's fields may take: no client reads as much. */
enum { TG_HEADERS_MOST = 1024 * 1024 };

struct tg_headers_entry {
    uint32_t name_at, name_len, value_at, value_len;
};

struct tg_headers {
    struct tg_text bytes;
    struct tg_headers_entry *entries;
    unsigned count, room;
};

void tg_headers_release(struct tg_headers *headers);

/* Empties it and keeps its memory. */
void tg_headers_clear(struct tg_headers *headers);

/* Is it a token (RFC 9110, 5.6.2)? */
bool tg_headers_name_ok(const char *name, size_t len);

/* Is it free of CR, LF, NUL and other control bytes but tab? */
bool tg_headers_value_ok(const char *value, size_t len);

/* Adds a field at the end; name and value must have passed the checks. */
void tg_headers_add(struct tg_headers *headers, const char *name,
                    size_t name_len, const char *value, size_t value_len);

/* Removes every field of that name. */
void tg_headers_remove(struct tg_headers *headers, const char *name,
                       size_t len);

/* Removes one field. */
void tg_headers_remove_at(struct tg_headers *headers, unsigned index);

/* The index of the next field of that name at or after `from`, or -1. */
int tg_headers_find(const struct tg_headers *headers, const char *name,
                    size_t len, unsigned from);

/* The first value of that name; NULL if there is none. */
const char *tg_headers_get(const struct tg_headers *headers, const char *name,
                           size_t *len);

/* Makes this the only field of that name, at the end. */
void tg_headers_replace(struct tg_headers *headers, const char *name,
                        const char *value, size_t len);

const char *tg_headers_name(const struct tg_headers *headers, unsigned index,
                            size_t *len);
const char *tg_headers_value(const struct tg_headers *headers, unsigned index,
                             size_t *len);

#endif
