// SPDX-License-Identifier: MIT
/*
 * An entry of a dict: a key with its value, which is bytes, or a list of such.
 *
 * Nothing here locks: an entry belongs to its shard, or to who took it out of
 * there.
 */
#ifndef TG_SHARED_ENTRY_H
#define TG_SHARED_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "shared/dict.h"

struct tg_shard_key {
    const char *text;
    size_t len;
    uint64_t hash;
};

struct tg_entry {
    struct tg_entry *next; /* in its bucket, or on the list of the dead */
    struct tg_list used;   /* in its shard's list, if the dict has a limit */
    uint64_t hash;
    uint64_t version;
    double expires; /* on tg_clock_now(); 0 is never */
    size_t key_len, len;
    unsigned char type;
    bool changed;                  /* its key is among the shard's changes */
    _Alignas(void *) char bytes[]; /* the value, then the key */
};

/* The value of an entry of TG_DICT_LIST is a pointer to one. */
struct tg_sequence {
    struct tg_list items;
    size_t count, bytes; /* `bytes` is what its items take */
};

struct tg_item {
    struct tg_list link;
    size_t len;
    unsigned char type;
    char bytes[];
};

/* An entry with a copy of key and value, that lives for `seconds`. */
struct tg_entry *tg_entry_new(const struct tg_shard_key *key,
                              const struct tg_dict_value *value,
                              double seconds);

/* One with an empty list. */
struct tg_entry *tg_entry_new_list(const struct tg_shard_key *key,
                                   double seconds);

/* Frees it and all that follow it by `next`. */
void tg_entry_free_all(struct tg_entry *entry);

/* How many bytes it takes; an entry with such a key and value. */
size_t tg_entry_cost(const struct tg_entry *entry);
size_t tg_entry_cost_of(size_t key_len, size_t len);

/* When what lives for so many seconds from now is over. */
double tg_entry_expiry(double seconds);

/* NULL if it has no list. */
struct tg_sequence *tg_entry_list(const struct tg_entry *entry);

struct tg_item *tg_item_new(const struct tg_dict_value *value);
size_t tg_item_cost(size_t len);

/* The item becomes the list's; the list's first or last one, which is then the
 * caller's, to be freed with free(). */
void tg_sequence_push(struct tg_sequence *list, struct tg_item *item,
                      bool first);
struct tg_item *tg_sequence_peek(struct tg_sequence *list, bool first);
void tg_sequence_remove(struct tg_sequence *list, struct tg_item *item);

static inline const char *tg_entry_key(const struct tg_entry *entry)
{
    return entry->bytes + entry->len;
}

#endif
