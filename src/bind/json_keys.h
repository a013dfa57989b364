// SPDX-License-Identifier: MIT
/*
 * The keys of an object in the order of their bytes.
 */
#ifndef TG_BIND_JSON_KEYS_H
#define TG_BIND_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>

struct tg_json_key {
    uint64_t head; /* its first eight bytes, as a number of the same order */
    const char *text;
    size_t len;
    int value; /* where on the Lua stack its value is */
};

struct tg_json_key tg_json_key(const char *text, size_t len, int value);

void tg_json_keys_sort(struct tg_json_key *keys, size_t count);

#endif
