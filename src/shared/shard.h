// SPDX-License-Identifier: MIT
/*
 * A shard is a hash table with a lock: one part of a dict.
 *
 * The functions take the lock themselves, and what they free they free after
 * leaving it.  The caller hashes: a key's `hash` is the same every time.  What
 * the functions return is as in dict.h.
 */
#ifndef TG_SHARED_SHARD_H
#define TG_SHARED_SHARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/text.h"
#include "shared/dict.h"
#include "shared/entry.h"

/* What the shards of a dict with a limit may take together. */
struct tg_shard_room {
    _Atomic size_t most; /* bytes; 0: no limit */
    _Atomic size_t used;
};

/* Embedded in its dict. */
struct tg_shard {
    pthread_mutex_t lock;
    struct tg_entry **buckets;
    size_t nbuckets, cap; /* cap is a power of two */
    size_t count, mortal; /* entries, and those of them that expire */
    size_t cursor;        /* the bucket the next write sweeps */
    size_t bytes;         /* that the entries take */
    uint64_t version;     /* of the newest value */
    struct tg_dict_counts counts;
    struct tg_shard_room *room; /* NULL: the dict has no limit */
    struct tg_list used;        /* with a limit: the oldest use first */
    bool noting;                /* keys whose values change are noted */
    struct tg_text changes;     /* each as its length and its bytes */
    char apart[64];             /* no cache line holds parts of two shards */
};

/* What a write finds wrong; 0: nothing. */
struct tg_shard_terms {
    int if_there, if_not;
};

/* `version` is what the first value's will be beyond. */
void tg_shard_init(struct tg_shard *shard, uint64_t version);

/* Nobody else may use the shard any more. */
void tg_shard_release(struct tg_shard *shard);

/* From here on it takes its part of `room`. */
void tg_shard_limit(struct tg_shard *shard, struct tg_shard_room *room);

int tg_shard_get(struct tg_shard *shard, const struct tg_shard_key *key,
                 void *room, size_t *len, unsigned char *type,
                 uint64_t *version);
int tg_shard_store(struct tg_shard *shard, const struct tg_shard_key *key,
                   const struct tg_dict_value *value, double seconds,
                   const struct tg_shard_terms *terms);
int tg_shard_swap(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_value *value, double seconds,
                  uint64_t *version);
int tg_shard_delete(struct tg_shard *shard, const struct tg_shard_key *key);
int tg_shard_incr(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_number *delta,
                  const struct tg_dict_number *initial, double seconds,
                  struct tg_dict_number *sum);
int tg_shard_touch(struct tg_shard *shard, const struct tg_shard_key *key,
                   double seconds);
int tg_shard_left(struct tg_shard *shard, const struct tg_shard_key *key,
                  double *seconds);

/* Of lists; shard_list.c. */
int tg_shard_push(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_value *value, bool first, double seconds,
                  size_t *length);
int tg_shard_pop(struct tg_shard *shard, const struct tg_shard_key *key,
                 bool first, void *room, size_t *len, unsigned char *type);
int tg_shard_length(struct tg_shard *shard, const struct tg_shard_key *key,
                    size_t *length);

/* Of the whole shard; shard_all.c. */
size_t tg_shard_size(struct tg_shard *shard);
void tg_shard_flush(struct tg_shard *shard);

/* Copies keys into `room`, each as its length, a size_t, and its bytes.
 * `*count` is how many at most, then how many there are; 0, or -ENOSPC with the
 * room it takes in `*len`. */
int tg_shard_keys(struct tg_shard *shard, size_t *count, void *room,
                  size_t *len);

/* Adds its counts to `counts`. */
void tg_shard_count(struct tg_shard *shard, struct tg_dict_counts *counts);

/* Of a dict that a file keeps; shard_kept.c.  Are the keys noted whose
 * values change?  The second also notes all there are. */
void tg_shard_note(struct tg_shard *shard, bool noting);
void tg_shard_note_all(struct tg_shard *shard);

/* The keys noted so far, each as its length, a size_t, and its bytes; to be
 * released. */
struct tg_text tg_shard_take_changes(struct tg_shard *shard);

/* Copies the value into `data`, and says how long it lives, 0 for ever.  False:
 * there is none.  It is noted again when it changes again. */
bool tg_shard_fetch(struct tg_shard *shard, const struct tg_shard_key *key,
                    struct tg_text *data, unsigned char *type, double *left);

/* The keys of what has not changed since it was fetched; as above. */
struct tg_text tg_shard_unchanged(struct tg_shard *shard);

/* Deletes it, if it has not. */
void tg_shard_drop(struct tg_shard *shard, const struct tg_shard_key *key);

/* Puts in what was fetched once, unless there is something; with `is_new`, only
 * unless that has changed.  False: it is damaged. */
bool tg_shard_restore(struct tg_shard *shard, const struct tg_shard_key *key,
                      const struct tg_dict_value *value, double seconds,
                      bool is_new);

/* Evicts until the dict is within its limit, or the shard is empty. */
void tg_shard_evict(struct tg_shard *shard);

#endif
