// SPDX-License-Identifier: MIT
#include "bind/json_keys.h"

#include <stdlib.h>
#include <string.h>

enum { INSERTED_MOST = 24 }; /* beyond, qsort is quicker */

struct tg_json_key tg_json_key(const void *string, const char *text, size_t len,
                               int place)
{
    struct tg_json_key key = {
        .string = string, .text = text, .len = len, .place = place};

    memcpy(&key.head, text, len < 8 ? len : 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    key.head = __builtin_bswap64(key.head);
#endif
    return key;
}

static inline int compare(const struct tg_json_key *a,
                          const struct tg_json_key *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int order;

    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    order = memcmp(a->text, b->text, len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_any(const void *a, const void *b)
{
    return compare(a, b);
}

static void insert_sorted(struct tg_json_key *keys, size_t count)
{
    size_t i, at;

    for (i = 1; i < count; i++) {
        struct tg_json_key key = keys[i];

        for (at = i; at > 0 && compare(&keys[at - 1], &key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

void tg_json_keys_sort(struct tg_json_key *keys, size_t count)
{
    size_t i;

    if (count > INSERTED_MOST)
        qsort(keys, count, sizeof(*keys), compare_any);
    else
        insert_sorted(keys, count);
    for (i = 0; i < count; i++)
        keys[keys[i].place].rank = (int)i;
}
