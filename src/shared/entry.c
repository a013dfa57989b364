// SPDX-License-Identifier: MIT
#include "shared/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

double tg_entry_expiry(double seconds)
{
    assert(seconds >= 0);
    return seconds > 0 ? tg_clock_now() + seconds : 0;
}

size_t tg_entry_cost_of(size_t key_len, size_t len)
{
    return sizeof(struct tg_entry) + key_len + len;
}

size_t tg_entry_cost(const struct tg_entry *entry)
{
    struct tg_sequence *list = tg_entry_list(entry);

    return tg_entry_cost_of(entry->key_len, entry->len) +
           (list ? sizeof(*list) + list->bytes : 0);
}

struct tg_entry *tg_entry_new(const struct tg_shard_key *key,
                              const struct tg_dict_value *value, double seconds)
{
    struct tg_entry *entry =
        tg_realloc(NULL, tg_entry_cost_of(key->len, value->len));

    assert(value->type >= TG_DICT_OPAQUE || value->len == sizeof(int64_t));
    *entry = (struct tg_entry){
        .hash = key->hash,
        .expires = tg_entry_expiry(seconds),
        .key_len = key->len,
        .len = value->len,
        .type = value->type,
    };
    tg_list_init(&entry->used);
    if (value->len)
        memcpy(entry->bytes, value->data, value->len);
    if (key->len)
        memcpy(entry->bytes + value->len, key->text, key->len);
    return entry;
}

struct tg_entry *tg_entry_new_list(const struct tg_shard_key *key,
                                   double seconds)
{
    struct tg_sequence *list = tg_alloc(sizeof(*list));
    struct tg_dict_value value = {&list, sizeof(list), TG_DICT_LIST};

    tg_list_init(&list->items);
    return tg_entry_new(key, &value, seconds);
}

struct tg_sequence *tg_entry_list(const struct tg_entry *entry)
{
    struct tg_sequence *list;

    if (entry->type != TG_DICT_LIST)
        return NULL;
    memcpy(&list, entry->bytes, sizeof(list));
    return list;
}

static void free_list(struct tg_sequence *list)
{
    while (!tg_list_empty(&list->items)) {
        struct tg_item *item = tg_sequence_peek(list, true);

        tg_sequence_remove(list, item);
        free(item);
    }
    free(list);
}

void tg_entry_free_all(struct tg_entry *entry)
{
    while (entry) {
        struct tg_entry *next = entry->next;
        struct tg_sequence *list = tg_entry_list(entry);

        if (list)
            free_list(list);
        free(entry);
        entry = next;
    }
}

size_t tg_item_cost(size_t len)
{
    return offsetof(struct tg_item, bytes) + len;
}

struct tg_item *tg_item_new(const struct tg_dict_value *value)
{
    struct tg_item *item = tg_realloc(NULL, tg_item_cost(value->len));

    item->len = value->len;
    item->type = value->type;
    tg_list_init(&item->link);
    if (value->len)
        memcpy(item->bytes, value->data, value->len);
    return item;
}

void tg_sequence_push(struct tg_sequence *list, struct tg_item *item,
                      bool first)
{
    tg_list_append(first ? list->items.next : &list->items, &item->link);
    list->count++;
    list->bytes += tg_item_cost(item->len);
}

struct tg_item *tg_sequence_peek(struct tg_sequence *list, bool first)
{
    return tg_list_item(first ? list->items.next : list->items.prev,
                        struct tg_item, link);
}

void tg_sequence_remove(struct tg_sequence *list, struct tg_item *item)
{
    tg_list_remove(&item->link);
    list->count--;
    list->bytes -= tg_item_cost(item->len);
}
