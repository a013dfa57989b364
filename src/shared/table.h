// SPDX-License-Identifier: MIT
/*
 * The hash table in a shard, for shard*.c: every function wants the lock.
 *
 * What is to be freed is put on a list of the dead, and freed after the lock is
 * left: tg_table_leave() does both.
 */
#ifndef TG_SHARED_TABLE_H
#define TG_SHARED_TABLE_H

#include "shared/entry.h"
#include "shared/shard.h"

/* Makes it an empty one. */
void tg_table_clear(struct tg_shard *shard);

/* What time it is, as far as this shard cares. */
double tg_table_clock(const struct tg_shard *shard);

/* The link to the entry, or NULL; one whose time is over dies. */
struct tg_entry **tg_table_find(struct tg_shard *shard,
                                const struct tg_shard_key *key, double now,
                                struct tg_entry **dead);

/* Puts in an entry whose key is not there, as the newest. */
void tg_table_insert(struct tg_shard *shard, struct tg_entry *entry);

/* Moves the entry at `link` to the list of the dead. */
void tg_table_kill(struct tg_shard *shard, struct tg_entry **link,
                   struct tg_entry **dead);

/* Puts `entry` in the place of the one at `link`, which dies. */
void tg_table_exchange(struct tg_shard *shard, struct tg_entry **link,
                       struct tg_entry *entry, struct tg_entry **dead);

/* Gives the entry another end. */
void tg_table_set_expiry(struct tg_shard *shard, struct tg_entry *entry,
                         double expires);

/* The entry's value is another now; it takes `more` bytes than before. */
void tg_table_written(struct tg_shard *shard, struct tg_entry *entry,
                      ptrdiff_t more);

/* Notes that the entry's key is to be saved. */
void tg_table_note(struct tg_shard *shard, struct tg_entry *entry);

/* Adds its length and its bytes. */
void tg_table_add_key(struct tg_text *keys, const struct tg_entry *entry);

/* The entry was asked for: it is the last to be evicted. */
static inline void tg_table_use(struct tg_shard *shard, struct tg_entry *entry)
{
    if (shard->room && shard->used.prev != &entry->used) {
        tg_list_remove(&entry->used);
        tg_list_append(&shard->used, &entry->used);
    }
}

/* Kills what is over in the next few buckets. */
void tg_table_sweep(struct tg_shard *shard, size_t nbuckets, double now,
                    struct tg_entry **dead);

/* Kills the entries that were not used for longest, but not `keep`, until the
 * dict is within its limit. */
void tg_table_evict(struct tg_shard *shard, const struct tg_entry *keep,
                    struct tg_entry **dead);

/* Unlocks the shard, then frees the dead. */
void tg_table_leave(struct tg_shard *shard, struct tg_entry *dead);

enum { TG_TABLE_SWEEP = 2 }; /* buckets looked at in one write */

#endif
