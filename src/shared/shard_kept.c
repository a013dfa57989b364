// SPDX-License-Identifier: MIT
/*
 * A shard that a file keeps notes the keys of what changes.
 *
 * A list is kept as its items: of each the type, a byte, its length, eight
 * bytes, and its bytes.
 */
#include "shared/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "shared/table.h"

void tg_shard_note_all(struct tg_shard *shard)
{
    struct tg_entry *entry;
    size_t i;

    pthread_mutex_lock(&shard->lock);
    shard->noting = true;
    shard->changes.len = 0;
    for (i = 0; i < shard->nbuckets; i++)
        for (entry = shard->buckets[i]; entry; entry = entry->next) {
            entry->changed = false;
            tg_table_note(shard, entry);
        }
    pthread_mutex_unlock(&shard->lock);
}

void tg_shard_note(struct tg_shard *shard, bool noting)
{
    pthread_mutex_lock(&shard->lock);
    shard->noting = noting;
    if (!noting)
        tg_text_release(&shard->changes);
    pthread_mutex_unlock(&shard->lock);
}

struct tg_text tg_shard_take_changes(struct tg_shard *shard)
{
    struct tg_text changes;

    pthread_mutex_lock(&shard->lock);
    changes = shard->changes;
    shard->changes = (struct tg_text){0};
    pthread_mutex_unlock(&shard->lock);
    return changes;
}

struct tg_text tg_shard_unchanged(struct tg_shard *shard)
{
    struct tg_text keys = {0};
    struct tg_entry *entry;
    size_t i;

    pthread_mutex_lock(&shard->lock);
    for (i = 0; i < shard->nbuckets; i++)
        for (entry = shard->buckets[i]; entry; entry = entry->next)
            if (!entry->changed)
                tg_table_add_key(&keys, entry);
    pthread_mutex_unlock(&shard->lock);
    return keys;
}

void tg_shard_drop(struct tg_shard *shard, const struct tg_shard_key *key)
{
    struct tg_entry *dead = NULL, **link;

    pthread_mutex_lock(&shard->lock);
    link = tg_table_find(shard, key, tg_table_clock(shard), &dead);
    if (link && !(*link)->changed)
        tg_table_kill(shard, link, &dead);
    tg_table_leave(shard, dead);
}

static void add_item(struct tg_text *data, const struct tg_item *item)
{
    uint64_t len = item->len;

    tg_text_add(data, (const char *)&item->type, 1);
    tg_text_add(data, (const char *)&len, sizeof(len));
    tg_text_add(data, item->bytes, item->len);
}

static void add_value(struct tg_text *data, const struct tg_entry *entry)
{
    struct tg_sequence *list = tg_entry_list(entry);
    struct tg_list *link;

    if (!list) {
        tg_text_add(data, entry->bytes, entry->len);
        return;
    }
    for (link = list->items.next; link != &list->items; link = link->next)
        add_item(data, tg_list_item(link, struct tg_item, link));
}

bool tg_shard_fetch(struct tg_shard *shard, const struct tg_shard_key *key,
                    struct tg_text *data, unsigned char *type, double *left)
{
    struct tg_entry *dead = NULL, **link;
    double now;

    data->len = 0;
    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    link = tg_table_find(shard, key, now, &dead);
    if (link) {
        struct tg_entry *entry = *link;

        entry->changed = false;
        *type = entry->type;
        *left = entry->expires != 0 ? entry->expires - now : 0;
        add_value(data, entry);
    }
    tg_table_leave(shard, dead);
    return link;
}

/* False: the bytes are no items. */
static bool read_items(struct tg_sequence *list, const char *data, size_t len)
{
    const char *end = data + len;
    struct tg_dict_value value;
    uint64_t size;

    while (data < end) {
        if ((size_t)(end - data) < 1 + sizeof(size))
            return false;
        value.type = (unsigned char)*data++;
        memcpy(&size, data, sizeof(size));
        data += sizeof(size);
        if (size > (size_t)(end - data) || value.type == TG_DICT_LIST ||
            (value.type < TG_DICT_OPAQUE && size != sizeof(int64_t)))
            return false;
        value.data = data;
        value.len = (size_t)size;
        data += size;
        tg_sequence_push(list, tg_item_new(&value), false);
    }
    return list->count > 0;
}

bool tg_shard_restore(struct tg_shard *shard, const struct tg_shard_key *key,
                      const struct tg_dict_value *value, double seconds,
                      bool is_new)
{
    bool is_list = value->type == TG_DICT_LIST, noting;
    struct tg_entry *entry = is_list ? tg_entry_new_list(key, seconds)
                                     : tg_entry_new(key, value, seconds);
    struct tg_entry *dead = NULL, **link;

    if (is_list && !read_items(tg_entry_list(entry), value->data, value->len)) {
        tg_entry_free_all(entry);
        return false;
    }
    pthread_mutex_lock(&shard->lock);
    noting = shard->noting;
    shard->noting = false; /* the file has it */
    link = tg_table_find(shard, key, tg_table_clock(shard), &dead);
    if (!link) {
        tg_table_insert(shard, entry);
    } else if (is_new && !(*link)->changed) {
        tg_table_exchange(shard, link, entry, &dead);
    } else {
        entry->next = dead;
        dead = entry;
    }
    shard->noting = noting;
    tg_table_evict(shard, NULL, &dead);
    tg_table_leave(shard, dead);
    return true;
}
