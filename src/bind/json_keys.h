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
    const void *string; /* Lua's, which is no other key's */
    const char *text;
    size_t len;
    int place; /* of its member in the object, from 0 */
    int rank;  /* of the member in the place of this one: where its key is */
};

struct tg_json_key tg_json_key(const void *string, const char *text, size_t len,
                               int place);

/* Sorts them, and sets their ranks.  They were in the order of their places. */
void tg_json_keys_sort(struct tg_json_key *keys, size_t count);

#endif
