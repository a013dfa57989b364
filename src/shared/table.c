// SPDX-License-Identifier: MIT
/*
 * The table grows by linear hashing, one bucket for one new entry, so that no
 * write pays for moving every entry.
 */
#include "shared/table.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { FIRST_BUCKETS = 8 };

static bool is_wanted(const struct tg_entry *entry,
                      const struct tg_shard_key *key)
{
    return entry->hash == key->hash && entry->key_len == key->len &&
           memcmp(tg_entry_key(entry), key->text, key->len) == 0;
}

static bool is_over(const struct tg_entry *entry, double now)
{
    return entry->expires != 0 && entry->expires <= now;
}

static void count_bytes(struct tg_shard *shard, ptrdiff_t more)
{
    shard->bytes += (size_t)more;
    if (shard->room)
        atomic_fetch_add_explicit(&shard->room->used, (size_t)more,
                                  memory_order_relaxed);
}

void tg_table_clear(struct tg_shard *shard)
{
    count_bytes(shard, -(ptrdiff_t)shard->bytes);
    shard->cap = shard->nbuckets = FIRST_BUCKETS;
    shard->buckets = tg_alloc(FIRST_BUCKETS * sizeof(struct tg_entry *));
    shard->count = shard->mortal = shard->cursor = 0;
    tg_list_init(&shard->used);
}

static struct tg_entry **bucket_of(struct tg_shard *shard, uint64_t hash)
{
    size_t at = hash & (shard->cap - 1);

    if (at >= shard->nbuckets) /* not split off yet */
        at -= shard->cap / 2;
    return &shard->buckets[at];
}

double tg_table_clock(const struct tg_shard *shard)
{
    return shard->mortal ? tg_clock_now() : 0;
}

void tg_table_add_key(struct tg_text *keys, const struct tg_entry *entry)
{
    tg_text_add(keys, (const char *)&entry->key_len, sizeof(entry->key_len));
    tg_text_add(keys, tg_entry_key(entry), entry->key_len);
}

void tg_table_note(struct tg_shard *shard, struct tg_entry *entry)
{
    if (!shard->noting || entry->changed)
        return;
    entry->changed = true;
    tg_table_add_key(&shard->changes, entry);
}

/* Takes it out of the table; the bucket is the caller's. */
static void forget(struct tg_shard *shard, struct tg_entry *entry,
                   struct tg_entry **dead)
{
    shard->count--;
    shard->mortal -= entry->expires != 0;
    count_bytes(shard, -(ptrdiff_t)tg_entry_cost(entry));
    tg_list_remove(&entry->used);
    entry->next = *dead;
    *dead = entry;
}

static void remember(struct tg_shard *shard, struct tg_entry *entry)
{
    shard->count++;
    shard->mortal += entry->expires != 0;
    count_bytes(shard, (ptrdiff_t)tg_entry_cost(entry));
    if (shard->room)
        tg_list_append(&shard->used, &entry->used);
    tg_table_written(shard, entry, 0);
}

void tg_table_kill(struct tg_shard *shard, struct tg_entry **link,
                   struct tg_entry **dead)
{
    struct tg_entry *entry = *link;

    tg_table_note(shard, entry);
    *link = entry->next;
    forget(shard, entry, dead);
}

void tg_table_exchange(struct tg_shard *shard, struct tg_entry **link,
                       struct tg_entry *entry, struct tg_entry **dead)
{
    struct tg_entry *old = *link;

    entry->changed = old->changed;
    entry->next = old->next;
    *link = entry;
    forget(shard, old, dead);
    remember(shard, entry);
}

struct tg_entry **tg_table_find(struct tg_shard *shard,
                                const struct tg_shard_key *key, double now,
                                struct tg_entry **dead)
{
    struct tg_entry **link = bucket_of(shard, key->hash);

    while (*link && !is_wanted(*link, key))
        link = &(*link)->next;
    if (!*link)
        return NULL;
    if (!is_over(*link, now))
        return link;
    shard->counts.expired++;
    tg_table_kill(shard, link, dead);
    return NULL;
}

/* Adds a bucket and gives it its half of the one that stood for both. */
static void split(struct tg_shard *shard)
{
    struct tg_entry **link, **other;

    if (shard->nbuckets == shard->cap) {
        shard->cap *= 2;
        shard->buckets =
            tg_realloc(shard->buckets, shard->cap * sizeof(struct tg_entry *));
    }
    link = &shard->buckets[shard->nbuckets - shard->cap / 2];
    other = &shard->buckets[shard->nbuckets++];
    while (*link) {
        if ((*link)->hash & (shard->cap / 2)) {
            *other = *link;
            *link = (*link)->next;
            other = &(*other)->next;
        } else {
            link = &(*link)->next;
        }
    }
    *other = NULL;
}

void tg_table_insert(struct tg_shard *shard, struct tg_entry *entry)
{
    struct tg_entry **bucket;

    if (shard->count >= shard->nbuckets)
        split(shard);
    bucket = bucket_of(shard, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    remember(shard, entry);
}

void tg_table_set_expiry(struct tg_shard *shard, struct tg_entry *entry,
                         double expires)
{
    shard->mortal -= entry->expires != 0;
    entry->expires = expires;
    shard->mortal += entry->expires != 0;
    tg_table_note(shard, entry);
}

void tg_table_written(struct tg_shard *shard, struct tg_entry *entry,
                      ptrdiff_t more)
{
    entry->version = ++shard->version;
    if (more)
        count_bytes(shard, more);
    tg_table_note(shard, entry);
}

void tg_table_sweep(struct tg_shard *shard, size_t nbuckets, double now,
                    struct tg_entry **dead)
{
    for (; shard->mortal && nbuckets; nbuckets--) {
        struct tg_entry **link;

        if (shard->cursor >= shard->nbuckets)
            shard->cursor = 0;
        link = &shard->buckets[shard->cursor++];
        while (*link) {
            if (!is_over(*link, now)) {
                link = &(*link)->next;
                continue;
            }
            shard->counts.expired++;
            tg_table_kill(shard, link, dead);
        }
    }
}

static bool is_full(const struct tg_shard *shard)
{
    return shard->room &&
           atomic_load_explicit(&shard->room->used, memory_order_relaxed) >
               shard->room->most;
}

void tg_table_evict(struct tg_shard *shard, const struct tg_entry *keep,
                    struct tg_entry **dead)
{
    struct tg_list *oldest = shard->used.next;

    while (is_full(shard) && oldest != &shard->used) {
        struct tg_entry *entry = tg_list_item(oldest, struct tg_entry, used);
        struct tg_entry **link = bucket_of(shard, entry->hash);

        oldest = oldest->next;
        if (entry == keep)
            continue;
        while (*link != entry)
            link = &(*link)->next;
        shard->counts.evictions++;
        tg_table_kill(shard, link, dead);
    }
}

void tg_table_leave(struct tg_shard *shard, struct tg_entry *dead)
{
    pthread_mutex_unlock(&shard->lock);
    tg_entry_free_all(dead);
}
