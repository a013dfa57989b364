// SPDX-License-Identifier: MIT
/*
 * A dict is sixteen shards; a key's hash says which one has it.
 *
 * Clients may choose keys, so the hash is SipHash-1-3 under a random key.
 */
#include "shared/dict.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "shared/dict_form.h"
#include "shared/saver.h"

enum {
    SHARDS = TG_DICT_PARTS,
    SHARD_SHIFT = 60, /* the hash's top bits choose the shard */
};

/* The dicts there are; their names, `refs` and options are under the lock too.
 */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tg_dict *registry;

/* --- hashing --- */

static inline uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein); the byte order is the machine's. */
static uint64_t hash_of(const uint64_t secret[2], const char *key, size_t len)
{
    uint64_t v[4] = {
        secret[0] ^ 0x736f6d6570736575u,
        secret[1] ^ 0x646f72616e646f6du,
        secret[0] ^ 0x6c7967656e657261u,
        secret[1] ^ 0x7465646279746573u,
    };
    uint64_t word, last = (uint64_t)len << 56;
    int i;

    for (; len >= sizeof(word); len -= sizeof(word), key += sizeof(word)) {
        memcpy(&word, key, sizeof(word));
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    for (i = 0; i < (int)len; i++)
        last |= (uint64_t)(unsigned char)key[i] << (8 * i);
    v[3] ^= last;
    mix(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (i = 0; i < 3; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct tg_shard_key tg_dict_key(const struct tg_dict *dict, const char *text,
                                size_t len)
{
    return (struct tg_shard_key){text, len, hash_of(dict->secret, text, len)};
}

struct tg_shard *tg_dict_shard(struct tg_dict *dict,
                               const struct tg_shard_key *key)
{
    return &dict->shards[key->hash >> SHARD_SHIFT];
}

/* --- dicts --- */

/* Beyond what any version was in a process before: they count up more slowly
 * than microseconds. */
static uint64_t first_version(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct tg_dict *dict_new(const char *name)
{
    struct tg_dict *dict = tg_alloc(sizeof(*dict));
    int i;

    if (getentropy(dict->secret, sizeof(dict->secret)) < 0) {
        perror("tidegate: no random numbers");
        abort();
    }
    dict->name = tg_strdup(name);
    for (i = 0; i < SHARDS; i++)
        tg_shard_init(&dict->shards[i], first_version());
    return dict;
}

static void dict_free(struct tg_dict *dict)
{
    int i;

    for (i = 0; i < SHARDS; i++)
        tg_shard_release(&dict->shards[i]);
    free(dict->name);
    free(dict);
}

struct tg_dict *tg_dict_open(const char *name)
{
    struct tg_dict *dict;

    pthread_mutex_lock(&registry_lock);
    for (dict = registry; dict; dict = dict->next)
        if (strcmp(dict->name, name) == 0)
            break;
    if (!dict) {
        dict = dict_new(name);
        dict->next = registry;
        registry = dict;
    }
    dict->refs++;
    pthread_mutex_unlock(&registry_lock);
    return dict;
}

void tg_dict_unref(struct tg_dict *dict)
{
    struct tg_dict **link = &registry;

    pthread_mutex_lock(&registry_lock);
    if (--dict->refs == 0 && tg_dict_size(dict) == 0) {
        while (*link != dict)
            link = &(*link)->next;
        *link = dict->next;
        dict_free(dict);
    }
    pthread_mutex_unlock(&registry_lock);
}

bool tg_dict_configure(struct tg_dict *dict,
                       const struct tg_dict_options *options, char *message,
                       size_t size)
{
    size_t limit;
    int i;

    pthread_mutex_lock(&registry_lock);
    if (options->limit && !dict->room.most) {
        dict->room.most = options->limit;
        for (i = 0; i < SHARDS; i++)
            tg_shard_limit(&dict->shards[i], &dict->room);
    }
    limit = dict->room.most;
    pthread_mutex_unlock(&registry_lock);
    if (!options->limit || options->limit == limit)
        return !options->file || tg_saver_keep(dict->name, options->file,
                                               options->sync, message, size);
    snprintf(message, size,
             "dictionary '%s' has a limit of %zu bytes already, not of %zu: "
             "only a restart changes it",
             dict->name, limit, options->limit);
    return false;
}

/* --- entries --- */

/* What `shard` could not evict, others have to. */
static void relieve(struct tg_dict *dict, const struct tg_shard *shard)
{
    size_t most = atomic_load_explicit(&dict->room.most, memory_order_relaxed);
    int i, at = (int)(shard - dict->shards);

    for (i = 1; i < SHARDS && most && dict->room.used > most; i++)
        tg_shard_evict(&dict->shards[(at + i) % SHARDS]);
}

int tg_dict_get(struct tg_dict *dict, const char *key, size_t key_len,
                void *room, size_t *len, unsigned char *type, uint64_t *version)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_get(tg_dict_shard(dict, &wanted), &wanted, room, len, type,
                        version);
}

static int store(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_value *value, double seconds,
                 int error_if_there, int error_if_not)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);
    struct tg_shard_terms terms = {error_if_there, error_if_not};
    struct tg_shard *shard = tg_dict_shard(dict, &wanted);
    int error = tg_shard_store(shard, &wanted, value, seconds, &terms);

    relieve(dict, shard);
    return error;
}

int tg_dict_set(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds)
{
    return store(dict, key, key_len, value, seconds, 0, 0);
}

int tg_dict_add(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds)
{
    return store(dict, key, key_len, value, seconds, -EEXIST, 0);
}

int tg_dict_replace(struct tg_dict *dict, const char *key, size_t key_len,
                    const struct tg_dict_value *value, double seconds)
{
    return store(dict, key, key_len, value, seconds, 0, -ENOENT);
}

int tg_dict_swap(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_value *value, double seconds,
                 uint64_t *version)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);
    struct tg_shard *shard = tg_dict_shard(dict, &wanted);
    int error = tg_shard_swap(shard, &wanted, value, seconds, version);

    relieve(dict, shard);
    return error;
}

int tg_dict_delete(struct tg_dict *dict, const char *key, size_t key_len)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_delete(tg_dict_shard(dict, &wanted), &wanted);
}

int tg_dict_incr(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_number *delta,
                 const struct tg_dict_number *initial, double seconds,
                 struct tg_dict_number *sum)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);
    struct tg_shard *shard = tg_dict_shard(dict, &wanted);
    int error = tg_shard_incr(shard, &wanted, delta, initial, seconds, sum);

    relieve(dict, shard);
    return error;
}

int tg_dict_touch(struct tg_dict *dict, const char *key, size_t key_len,
                  double seconds)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_touch(tg_dict_shard(dict, &wanted), &wanted, seconds);
}

int tg_dict_left(struct tg_dict *dict, const char *key, size_t key_len,
                 double *seconds)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_left(tg_dict_shard(dict, &wanted), &wanted, seconds);
}

int tg_dict_push(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_value *value, bool first, double seconds,
                 size_t *length)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);
    struct tg_shard *shard = tg_dict_shard(dict, &wanted);
    int error = tg_shard_push(shard, &wanted, value, first, seconds, length);

    relieve(dict, shard);
    return error;
}

int tg_dict_pop(struct tg_dict *dict, const char *key, size_t key_len,
                bool first, void *room, size_t *len, unsigned char *type)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_pop(tg_dict_shard(dict, &wanted), &wanted, first, room, len,
                        type);
}

int tg_dict_length(struct tg_dict *dict, const char *key, size_t key_len,
                   size_t *length)
{
    struct tg_shard_key wanted = tg_dict_key(dict, key, key_len);

    return tg_shard_length(tg_dict_shard(dict, &wanted), &wanted, length);
}

/* --- all of them --- */

size_t tg_dict_size(struct tg_dict *dict)
{
    size_t size = 0;
    int i;

    for (i = 0; i < SHARDS; i++)
        size += tg_shard_size(&dict->shards[i]);
    return size;
}

int tg_dict_keys(struct tg_dict *dict, int part, size_t *count, void *room,
                 size_t *len)
{
    return tg_shard_keys(&dict->shards[part], count, room, len);
}

void tg_dict_count(struct tg_dict *dict, struct tg_dict_counts *counts)
{
    int i;

    *counts = (struct tg_dict_counts){0};
    for (i = 0; i < SHARDS; i++)
        tg_shard_count(&dict->shards[i], counts);
}

size_t tg_dict_limit(struct tg_dict *dict)
{
    return dict->room.most;
}

void tg_dict_flush(struct tg_dict *dict)
{
    int i;

    for (i = 0; i < SHARDS; i++)
        tg_shard_flush(&dict->shards[i]);
    dict->afresh = true;
}
