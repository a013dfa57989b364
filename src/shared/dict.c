// SPDX-License-Identifier: MIT
/*
 * A dict is sixteen hash tables, each with a lock of its own.
 *
 * The tables grow by linear hashing, one bucket for one new entry, so that no
 * write pays for moving the whole table.  Clients may choose keys, so the hash
 * is SipHash-1-3 under a random key.  What is to be freed is put on a list and
 * freed after the lock is left.
 */
#include "shared/dict.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
    SHARDS = 16,
    SHARD_SHIFT = 60, /* the hash's top bits choose the shard */
    FIRST_BUCKETS = 8,
    SWEEP = 2, /* buckets looked at in one write */
    CACHE_LINE = 64,
};

struct entry {
    struct entry *next; /* in its bucket, or on the list of the dead */
    uint64_t hash;
    double expires; /* on tg_clock_now(); 0 is never */
    size_t key_len, len;
    unsigned char type;
    char bytes[]; /* the value, then the key */
};

struct shard {
    pthread_mutex_t lock;
    struct entry **buckets;
    size_t nbuckets, cap;   /* cap is a power of two */
    size_t count, mortal;   /* entries, and those of them that expire */
    size_t cursor;          /* the bucket the next write sweeps */
    char apart[CACHE_LINE]; /* no line holds parts of two shards */
};

struct tg_dict {
    struct tg_dict *next;
    char *name;
    long refs;
    uint64_t secret[2];
    struct shard shards[SHARDS];
};

/* A key, as it is looked for. */
struct wanted {
    const char *key;
    size_t len;
    uint64_t hash;
};

/* The dicts there are; their names and `refs` are under the lock too. */
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

static struct wanted want(const struct tg_dict *dict, const char *key,
                          size_t len)
{
    return (struct wanted){key, len, hash_of(dict->secret, key, len)};
}

/* --- entries --- */

static struct entry *entry_new(const struct wanted *wanted,
                               const struct tg_dict_value *value,
                               double seconds)
{
    size_t size = offsetof(struct entry, bytes) + value->len + wanted->len;
    struct entry *entry = tg_realloc(NULL, size);

    assert(value->type >= TG_DICT_OPAQUE || value->len == sizeof(int64_t));
    assert(seconds >= 0);
    entry->next = NULL;
    entry->hash = wanted->hash;
    entry->expires = seconds > 0 ? tg_clock_now() + seconds : 0;
    entry->key_len = wanted->len;
    entry->len = value->len;
    entry->type = value->type;
    if (value->len)
        memcpy(entry->bytes, value->data, value->len);
    if (wanted->len)
        memcpy(entry->bytes + value->len, wanted->key, wanted->len);
    return entry;
}

static bool is_wanted(const struct entry *entry, const struct wanted *wanted)
{
    return entry->hash == wanted->hash && entry->key_len == wanted->len &&
           memcmp(entry->bytes + entry->len, wanted->key, wanted->len) == 0;
}

static bool is_over(const struct entry *entry, double now)
{
    return entry->expires != 0 && entry->expires <= now;
}

static void free_all(struct entry *entry)
{
    while (entry) {
        struct entry *next = entry->next;

        free(entry);
        entry = next;
    }
}

/* --- shards; all of these want the lock --- */

static void clear(struct shard *shard)
{
    shard->cap = shard->nbuckets = FIRST_BUCKETS;
    shard->buckets = tg_alloc(FIRST_BUCKETS * sizeof(*shard->buckets));
    shard->count = shard->mortal = shard->cursor = 0;
}

static struct entry **bucket_of(struct shard *shard, uint64_t hash)
{
    size_t at = hash & (shard->cap - 1);

    if (at >= shard->nbuckets) /* not split off yet */
        at -= shard->cap / 2;
    return &shard->buckets[at];
}

/* What time it is, as far as this shard cares. */
static double clock_of(const struct shard *shard)
{
    return shard->mortal ? tg_clock_now() : 0;
}

/* Moves the entry at `link` to the list of the dead. */
static void kill_entry(struct shard *shard, struct entry **link,
                       struct entry **dead)
{
    struct entry *entry = *link;

    *link = entry->next;
    shard->count--;
    shard->mortal -= entry->expires != 0;
    entry->next = *dead;
    *dead = entry;
}

/* The link to the entry, or NULL; one whose time is over dies. */
static struct entry **find(struct shard *shard, const struct wanted *wanted,
                           double now, struct entry **dead)
{
    struct entry **link = bucket_of(shard, wanted->hash);

    while (*link && !is_wanted(*link, wanted))
        link = &(*link)->next;
    if (!*link)
        return NULL;
    if (!is_over(*link, now))
        return link;
    kill_entry(shard, link, dead);
    return NULL;
}

/* Adds a bucket and gives it its half of the one that stood for both. */
static void split(struct shard *shard)
{
    struct entry **link, **other;

    if (shard->nbuckets == shard->cap) {
        shard->cap *= 2;
        shard->buckets =
            tg_realloc(shard->buckets, shard->cap * sizeof(*shard->buckets));
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

static void insert(struct shard *shard, struct entry *entry)
{
    struct entry **bucket;

    if (shard->count >= shard->nbuckets)
        split(shard);
    bucket = bucket_of(shard, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    shard->count++;
    shard->mortal += entry->expires != 0;
}

/* Kills what is over in the next few buckets. */
static void sweep(struct shard *shard, size_t nbuckets, double now,
                  struct entry **dead)
{
    for (; shard->mortal && nbuckets; nbuckets--) {
        struct entry **link;

        if (shard->cursor >= shard->nbuckets)
            shard->cursor = 0;
        link = &shard->buckets[shard->cursor++];
        while (*link) {
            if (is_over(*link, now))
                kill_entry(shard, link, dead);
            else
                link = &(*link)->next;
        }
    }
}

static struct shard *enter(struct tg_dict *dict, const struct wanted *wanted)
{
    struct shard *shard = &dict->shards[wanted->hash >> SHARD_SHIFT];

    pthread_mutex_lock(&shard->lock);
    return shard;
}

static void leave(struct shard *shard, struct entry *dead)
{
    pthread_mutex_unlock(&shard->lock);
    free_all(dead);
}

/* --- numbers --- */

static double real_of(const struct tg_dict_number *number)
{
    return number->type == TG_DICT_FLOAT ? number->real
                                         : (double)number->integer;
}

static int add(const struct tg_dict_number *a, const struct tg_dict_number *b,
               struct tg_dict_number *sum)
{
    if (a->type == TG_DICT_FLOAT || b->type == TG_DICT_FLOAT) {
        double real = real_of(a) + real_of(b);

        *sum = (struct tg_dict_number){.type = TG_DICT_FLOAT, .real = real};
        return 0;
    }
    sum->type = TG_DICT_INTEGER;
    return __builtin_add_overflow(a->integer, b->integer, &sum->integer)
               ? -ERANGE
               : 0;
}

static int load_number(const struct entry *entry, struct tg_dict_number *number)
{
    if (entry->type >= TG_DICT_OPAQUE)
        return -EINVAL;
    number->type = entry->type;
    memcpy(&number->integer, entry->bytes, sizeof(number->integer));
    return 0;
}

/* --- dicts --- */

static struct tg_dict *dict_new(const char *name)
{
    struct tg_dict *dict = tg_alloc(sizeof(*dict));
    int i;

    if (getentropy(dict->secret, sizeof(dict->secret)) < 0) {
        perror("tidegate: no random numbers");
        abort();
    }
    dict->name = tg_strdup(name);
    for (i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&dict->shards[i].lock, NULL);
        clear(&dict->shards[i]);
    }
    return dict;
}

static void dict_free(struct tg_dict *dict)
{
    int i;

    for (i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&dict->shards[i].lock);
        free(dict->shards[i].buckets);
    }
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

int tg_dict_get(struct tg_dict *dict, const char *key, size_t key_len,
                void *room, size_t *len, unsigned char *type)
{
    struct wanted wanted = want(dict, key, key_len);
    struct shard *shard = enter(dict, &wanted);
    struct entry *dead = NULL;
    struct entry **link = find(shard, &wanted, clock_of(shard), &dead);
    int error = -ENOENT;

    if (link) {
        const struct entry *entry = *link;

        error = entry->len <= *len ? 0 : -ENOSPC;
        if (!error && entry->len)
            memcpy(room, entry->bytes, entry->len);
        *len = entry->len;
        *type = entry->type;
    }
    leave(shard, dead);
    return error;
}

/* Stores the value if the entry there is, or its lack, allows it. */
static int store(struct tg_dict *dict, const struct wanted *wanted,
                 const struct tg_dict_value *value, double seconds,
                 int error_if_there, int error_if_not)
{
    struct entry *entry = entry_new(wanted, value, seconds), *dead = NULL;
    struct shard *shard = enter(dict, wanted);
    double now = clock_of(shard);
    struct entry **link = find(shard, wanted, now, &dead);
    int error = link ? error_if_there : error_if_not;

    if (error) {
        entry->next = dead;
        dead = entry;
    } else {
        if (link)
            kill_entry(shard, link, &dead);
        insert(shard, entry);
    }
    sweep(shard, SWEEP, now, &dead);
    leave(shard, dead);
    return error;
}

int tg_dict_set(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds)
{
    struct wanted wanted = want(dict, key, key_len);

    return store(dict, &wanted, value, seconds, 0, 0);
}

int tg_dict_add(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds)
{
    struct wanted wanted = want(dict, key, key_len);

    return store(dict, &wanted, value, seconds, -EEXIST, 0);
}

int tg_dict_replace(struct tg_dict *dict, const char *key, size_t key_len,
                    const struct tg_dict_value *value, double seconds)
{
    struct wanted wanted = want(dict, key, key_len);

    return store(dict, &wanted, value, seconds, 0, -ENOENT);
}

int tg_dict_delete(struct tg_dict *dict, const char *key, size_t key_len)
{
    struct wanted wanted = want(dict, key, key_len);
    struct shard *shard = enter(dict, &wanted);
    struct entry *dead = NULL;
    struct entry **link = find(shard, &wanted, clock_of(shard), &dead);
    int error = link ? 0 : -ENOENT;

    if (link)
        kill_entry(shard, link, &dead);
    leave(shard, dead);
    return error;
}

int tg_dict_incr(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_number *delta,
                 const struct tg_dict_number *initial, double seconds,
                 struct tg_dict_number *sum)
{
    struct wanted wanted = want(dict, key, key_len);
    struct shard *shard = enter(dict, &wanted);
    double now = clock_of(shard);
    struct entry *dead = NULL;
    struct entry **link = find(shard, &wanted, now, &dead);
    struct tg_dict_number number = *initial;
    int error = link ? load_number(*link, &number) : 0;

    if (!error)
        error = add(&number, delta, sum);
    if (!error && link) {
        (*link)->type = sum->type;
        memcpy((*link)->bytes, &sum->integer, sizeof(sum->integer));
    } else if (!error) {
        struct tg_dict_value value = {&sum->integer, sizeof(sum->integer),
                                      sum->type};

        insert(shard, entry_new(&wanted, &value, seconds));
        sweep(shard, SWEEP, now, &dead);
    }
    leave(shard, dead);
    return error;
}

size_t tg_dict_size(struct tg_dict *dict)
{
    size_t size = 0;
    int i;

    for (i = 0; i < SHARDS; i++) {
        struct shard *shard = &dict->shards[i];
        struct entry *dead = NULL;

        pthread_mutex_lock(&shard->lock);
        sweep(shard, shard->nbuckets, clock_of(shard), &dead);
        size += shard->count;
        leave(shard, dead);
    }
    return size;
}

void tg_dict_flush(struct tg_dict *dict)
{
    int i;

    for (i = 0; i < SHARDS; i++) {
        struct shard *shard = &dict->shards[i];
        struct entry **buckets;
        size_t nbuckets;

        pthread_mutex_lock(&shard->lock);
        buckets = shard->buckets;
        nbuckets = shard->nbuckets;
        clear(shard);
        pthread_mutex_unlock(&shard->lock);
        while (nbuckets)
            free_all(buckets[--nbuckets]);
        free(buckets);
    }
}
