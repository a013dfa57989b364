// SPDX-License-Identifier: MIT
/* What is done with a whole shard. */
#include "shared/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/table.h"

static void free_buckets(struct tg_entry **buckets, size_t nbuckets)
{
    while (nbuckets)
        tg_entry_free_all(buckets[--nbuckets]);
    free(buckets);
}

void tg_shard_release(struct tg_shard *shard)
{
    pthread_mutex_destroy(&shard->lock);
    tg_text_release(&shard->changes);
    free_buckets(shard->buckets, shard->nbuckets);
}

void tg_shard_limit(struct tg_shard *shard, struct tg_shard_room *room)
{
    size_t i;

    pthread_mutex_lock(&shard->lock);
    shard->room = room;
    room->used += shard->bytes;
    for (i = 0; i < shard->nbuckets; i++) {
        struct tg_entry *entry = shard->buckets[i];

        for (; entry; entry = entry->next)
            tg_list_append(&shard->used, &entry->used);
    }
    pthread_mutex_unlock(&shard->lock);
}

size_t tg_shard_size(struct tg_shard *shard)
{
    struct tg_entry *dead = NULL;
    size_t size;

    pthread_mutex_lock(&shard->lock);
    tg_table_sweep(shard, shard->nbuckets, tg_table_clock(shard), &dead);
    size = shard->count;
    tg_table_leave(shard, dead);
    return size;
}

void tg_shard_flush(struct tg_shard *shard)
{
    struct tg_entry **buckets;
    size_t nbuckets;

    pthread_mutex_lock(&shard->lock);
    buckets = shard->buckets;
    nbuckets = shard->nbuckets;
    tg_table_clear(shard);
    pthread_mutex_unlock(&shard->lock);
    free_buckets(buckets, nbuckets);
}

int tg_shard_keys(struct tg_shard *shard, size_t *count, void *room,
                  size_t *len)
{
    size_t most = *count, size = *len, i;
    struct tg_entry *entry, *dead = NULL;
    char *at = room;

    *count = *len = 0;
    pthread_mutex_lock(&shard->lock);
    tg_table_sweep(shard, shard->nbuckets, tg_table_clock(shard), &dead);
    for (i = 0; i < shard->nbuckets && *count < most; i++)
        for (entry = shard->buckets[i]; entry && *count < most;
             entry = entry->next) {
            size_t key_len = entry->key_len;

            ++*count;
            *len += sizeof(key_len) + key_len;
            if (*len > size)
                continue;
            memcpy(at, &key_len, sizeof(key_len));
            memcpy(at + sizeof(key_len), tg_entry_key(entry), key_len);
            at += sizeof(key_len) + key_len;
        }
    tg_table_leave(shard, dead);
    return *len <= size ? 0 : -ENOSPC;
}

void tg_shard_count(struct tg_shard *shard, struct tg_dict_counts *counts)
{
    pthread_mutex_lock(&shard->lock);
    counts->hits += shard->counts.hits;
    counts->misses += shard->counts.misses;
    counts->evictions += shard->counts.evictions;
    counts->expired += shard->counts.expired;
    counts->bytes += shard->bytes;
    pthread_mutex_unlock(&shard->lock);
}

void tg_shard_evict(struct tg_shard *shard)
{
    struct tg_entry *dead = NULL;

    pthread_mutex_lock(&shard->lock);
    tg_table_evict(shard, NULL, &dead);
    tg_table_leave(shard, dead);
}
