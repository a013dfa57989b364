// SPDX-License-Identifier: MIT
/* Lists of values in a shard.  A list that has become empty is gone. */
#include "shared/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/table.h"

/* The list of the key; NULL, with an error in `*error`: 0 if there is none. */
static struct tg_sequence *find_list(struct tg_shard *shard,
                                     const struct tg_shard_key *key, double now,
                                     struct tg_entry ***link,
                                     struct tg_entry **dead, int *error)
{
    struct tg_sequence *list;

    *error = 0;
    *link = tg_table_find(shard, key, now, dead);
    if (!*link)
        return NULL;
    list = tg_entry_list(**link);
    if (!list)
        *error = -EINVAL;
    else
        tg_table_use(shard, **link);
    return list;
}

static bool has_no_room(const struct tg_shard *shard,
                        const struct tg_entry *entry, size_t more)
{
    return shard->room && tg_entry_cost(entry) + more > shard->room->most;
}

int tg_shard_push(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_value *value, bool first, double seconds,
                  size_t *length)
{
    struct tg_item *item = tg_item_new(value);
    size_t cost = tg_item_cost(value->len);
    struct tg_entry *entry = NULL, *fresh = NULL, *dead = NULL, **link;
    struct tg_sequence *list;
    double now;
    int error;

    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    list = find_list(shard, key, now, &link, &dead, &error);
    if (list) {
        entry = *link;
    } else if (!error) {
        entry = fresh = tg_entry_new_list(key, seconds);
        list = tg_entry_list(fresh);
    }
    if (!error && has_no_room(shard, entry, cost))
        error = -EFBIG;
    if (!error) {
        tg_sequence_push(list, item, first);
        *length = list->count;
        if (fresh)
            tg_table_insert(shard, fresh);
        else
            tg_table_written(shard, entry, (ptrdiff_t)cost);
    } else if (fresh) {
        fresh->next = dead;
        dead = fresh;
    }
    tg_table_sweep(shard, TG_TABLE_SWEEP, now, &dead);
    tg_table_evict(shard, entry, &dead);
    tg_table_leave(shard, dead);
    if (error)
        free(item);
    return error;
}

int tg_shard_pop(struct tg_shard *shard, const struct tg_shard_key *key,
                 bool first, void *room, size_t *len, unsigned char *type)
{
    struct tg_entry *dead = NULL, **link;
    struct tg_item *item = NULL;
    struct tg_sequence *list;
    size_t size = *len;
    int error;

    pthread_mutex_lock(&shard->lock);
    list = find_list(shard, key, tg_table_clock(shard), &link, &dead, &error);
    if (!list && !error)
        error = -ENOENT;
    if (list) {
        item = tg_sequence_peek(list, first);
        *len = item->len;
        *type = item->type;
        error = item->len <= size ? 0 : -ENOSPC;
    }
    if (!error) {
        tg_sequence_remove(list, item);
        tg_table_written(shard, *link, -(ptrdiff_t)tg_item_cost(item->len));
        if (list->count == 0)
            tg_table_kill(shard, link, &dead);
    }
    tg_table_leave(shard, dead);
    if (!error) {
        if (item->len)
            memcpy(room, item->bytes, item->len);
        free(item);
    }
    return error;
}

int tg_shard_length(struct tg_shard *shard, const struct tg_shard_key *key,
                    size_t *length)
{
    struct tg_entry *dead = NULL, **link;
    struct tg_sequence *list;
    int error;

    pthread_mutex_lock(&shard->lock);
    list = find_list(shard, key, tg_table_clock(shard), &link, &dead, &error);
    *length = list ? list->count : 0;
    tg_table_leave(shard, dead);
    return error;
}
