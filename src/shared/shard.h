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
#include <stddef.h>
#include <stdint.h>

#include "shared/dict.h"

struct tg_shard_entry;

/* Embedded in its dict. */
struct tg_shard {
    pthread_mutex_t lock;
    struct tg_shard_entry **buckets;
    size_t nbuckets, cap; /* cap is a power of two */
    size_t count, mortal; /* entries, and those of them that expire */
    size_t cursor;        /* the bucket the next write sweeps */
    char apart[64];       /* no cache line holds parts of two shards */
};

struct tg_shard_key {
    const char *text;
    size_t len;
    uint64_t hash;
};

void tg_shard_init(struct tg_shard *shard);

/* Nobody else may use the shard any more. */
void tg_shard_release(struct tg_shard *shard);

int tg_shard_get(struct tg_shard *shard, const struct tg_shard_key *key,
                 void *room, size_t *len, unsigned char *type);

/* Stores the value unless `error_if_there`, or `error_if_not`, is the error of
 * what it finds. */
int tg_shard_store(struct tg_shard *shard, const struct tg_shard_key *key,
                   const struct tg_dict_value *value, double seconds,
                   int error_if_there, int error_if_not);

int tg_shard_delete(struct tg_shard *shard, const struct tg_shard_key *key);

int tg_shard_incr(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_number *delta,
                  const struct tg_dict_number *initial, double seconds,
                  struct tg_dict_number *sum);

size_t tg_shard_size(struct tg_shard *shard);
void tg_shard_flush(struct tg_shard *shard);

#endif
