// SPDX-License-Identifier: MIT
/*
 * The table grows by linear hashing, one bucket for one new entry, so that no
 * write pays for moving every entry.  What is to be freed is put on a list and
 * freed after the lock is left.
 */
#include "shared/shard.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
    FIRST_BUCKETS = 8,
    SWEEP = 2, /* buckets looked at in one write */
};

struct tg_shard_entry {
    struct tg_shard_entry *next; /* in its bucket, or on the list of the dead */
    uint64_t hash;
    double expires; /* on tg_clock_now(); 0 is never */
    size_t key_len, len;
    unsigned char type;
    char bytes[]; /* the value, then the key */
};

/* --- entries --- */

static struct tg_shard_entry *entry_new(const struct tg_shard_key *key,
                                        const struct tg_dict_value *value,
                                        double seconds)
{
    size_t size =
        offsetof(struct tg_shard_entry, bytes) + value->len + key->len;
    struct tg_shard_entry *entry = tg_realloc(NULL, size);

    assert(value->type >= TG_DICT_OPAQUE || value->len == sizeof(int64_t));
    assert(seconds >= 0);
    entry->next = NULL;
    entry->hash = key->hash;
    entry->expires = seconds > 0 ? tg_clock_now() + seconds : 0;
    entry->key_len = key->len;
    entry->len = value->len;
    entry->type = value->type;
    if (value->len)
        memcpy(entry->bytes, value->data, value->len);
    if (key->len)
        memcpy(entry->bytes + value->len, key->text, key->len);
    return entry;
}

static bool is_wanted(const struct tg_shard_entry *entry,
                      const struct tg_shard_key *key)
{
    return entry->hash == key->hash && entry->key_len == key->len &&
           memcmp(entry->bytes + entry->len, key->text, key->len) == 0;
}

static bool is_over(const struct tg_shard_entry *entry, double now)
{
    return entry->expires != 0 && entry->expires <= now;
}

static void free_all(struct tg_shard_entry *entry)
{
    while (entry) {
        struct tg_shard_entry *next = entry->next;

        free(entry);
        entry = next;
    }
}

/* --- the table; all of these want the lock --- */

static void clear(struct tg_shard *shard)
{
    shard->cap = shard->nbuckets = FIRST_BUCKETS;
    shard->buckets = tg_alloc(FIRST_BUCKETS * sizeof(*shard->buckets));
    shard->count = shard->mortal = shard->cursor = 0;
}

static struct tg_shard_entry **bucket_of(struct tg_shard *shard, uint64_t hash)
{
    size_t at = hash & (shard->cap - 1);

    if (at >= shard->nbuckets) /* not split off yet */
        at -= shard->cap / 2;
    return &shard->buckets[at];
}

/* What time it is, as far as this shard cares. */
static double clock_of(const struct tg_shard *shard)
{
    return shard->mortal ? tg_clock_now() : 0;
}

/* Moves the entry at `link` to the list of the dead. */
static void kill_entry(struct tg_shard *shard, struct tg_shard_entry **link,
                       struct tg_shard_entry **dead)
{
    struct tg_shard_entry *entry = *link;

    *link = entry->next;
    shard->count--;
    shard->mortal -= entry->expires != 0;
    entry->next = *dead;
    *dead = entry;
}

/* The link to the entry, or NULL; one whose time is over dies. */
static struct tg_shard_entry **find(struct tg_shard *shard,
                                    const struct tg_shard_key *key, double now,
                                    struct tg_shard_entry **dead)
{
    struct tg_shard_entry **link = bucket_of(shard, key->hash);

    while (*link && !is_wanted(*link, key))
        link = &(*link)->next;
    if (!*link)
        return NULL;
    if (!is_over(*link, now))
        return link;
    kill_entry(shard, link, dead);
    return NULL;
}

/* Adds a bucket and gives it its half of the one that stood for both. */
static void split(struct tg_shard *shard)
{
    struct tg_shard_entry **link, **other;

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

static void insert(struct tg_shard *shard, struct tg_shard_entry *entry)
{
    struct tg_shard_entry **bucket;

    if (shard->count >= shard->nbuckets)
        split(shard);
    bucket = bucket_of(shard, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    shard->count++;
    shard->mortal += entry->expires != 0;
}

/* Kills what is over in the next few buckets. */
static void sweep(struct tg_shard *shard, size_t nbuckets, double now,
                  struct tg_shard_entry **dead)
{
    for (; shard->mortal && nbuckets; nbuckets--) {
        struct tg_shard_entry **link;

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

static void leave(struct tg_shard *shard, struct tg_shard_entry *dead)
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

static int load_number(const struct tg_shard_entry *entry,
                       struct tg_dict_number *number)
{
    if (entry->type >= TG_DICT_OPAQUE)
        return -EINVAL;
    number->type = entry->type;
    memcpy(&number->integer, entry->bytes, sizeof(number->integer));
    return 0;
}

/* --- what a dict does --- */

void tg_shard_init(struct tg_shard *shard)
{
    pthread_mutex_init(&shard->lock, NULL);
    clear(shard);
}

static void free_buckets(struct tg_shard_entry **buckets, size_t nbuckets)
{
    while (nbuckets)
        free_all(buckets[--nbuckets]);
    free(buckets);
}

void tg_shard_release(struct tg_shard *shard)
{
    pthread_mutex_destroy(&shard->lock);
    free_buckets(shard->buckets, shard->nbuckets);
}

int tg_shard_get(struct tg_shard *shard, const struct tg_shard_key *key,
                 void *room, size_t *len, unsigned char *type)
{
    struct tg_shard_entry *dead = NULL, **link;
    int error = -ENOENT;

    pthread_mutex_lock(&shard->lock);
    link = find(shard, key, clock_of(shard), &dead);
    if (link) {
        const struct tg_shard_entry *entry = *link;

        error = entry->len <= *len ? 0 : -ENOSPC;
        if (!error && entry->len)
            memcpy(room, entry->bytes, entry->len);
        *len = entry->len;
        *type = entry->type;
    }
    leave(shard, dead);
    return error;
}

int tg_shard_store(struct tg_shard *shard, const struct tg_shard_key *key,
                   const struct tg_dict_value *value, double seconds,
                   int error_if_there, int error_if_not)
{
    struct tg_shard_entry *entry = entry_new(key, value, seconds);
    struct tg_shard_entry *dead = NULL, **link;
    double now;
    int error;

    pthread_mutex_lock(&shard->lock);
    now = clock_of(shard);
    link = find(shard, key, now, &dead);
    error = link ? error_if_there : error_if_not;
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

int tg_shard_delete(struct tg_shard *shard, const struct tg_shard_key *key)
{
    struct tg_shard_entry *dead = NULL, **link;

    pthread_mutex_lock(&shard->lock);
    link = find(shard, key, clock_of(shard), &dead);
    if (link)
        kill_entry(shard, link, &dead);
    leave(shard, dead);
    return link ? 0 : -ENOENT;
}

int tg_shard_incr(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_number *delta,
                  const struct tg_dict_number *initial, double seconds,
                  struct tg_dict_number *sum)
{
    struct tg_dict_number number = *initial;
    struct tg_shard_entry *dead = NULL, **link;
    double now;
    int error;

    pthread_mutex_lock(&shard->lock);
    now = clock_of(shard);
    link = find(shard, key, now, &dead);
    error = link ? load_number(*link, &number) : 0;
    if (!error)
        error = add(&number, delta, sum);
    if (!error && link) {
        (*link)->type = sum->type;
        memcpy((*link)->bytes, &sum->integer, sizeof(sum->integer));
    } else if (!error) {
        struct tg_dict_value value = {&sum->integer, sizeof(sum->integer),
                                      sum->type};

        insert(shard, entry_new(key, &value, seconds));
    }
    sweep(shard, SWEEP, now, &dead);
    leave(shard, dead);
    return error;
}

size_t tg_shard_size(struct tg_shard *shard)
{
    struct tg_shard_entry *dead = NULL;
    size_t size;

    pthread_mutex_lock(&shard->lock);
    sweep(shard, shard->nbuckets, clock_of(shard), &dead);
    size = shard->count;
    leave(shard, dead);
    return size;
}

void tg_shard_flush(struct tg_shard *shard)
{
    struct tg_shard_entry **buckets;
    size_t nbuckets;

    pthread_mutex_lock(&shard->lock);
    buckets = shard->buckets;
    nbuckets = shard->nbuckets;
    clear(shard);
    pthread_mutex_unlock(&shard->lock);
    free_buckets(buckets, nbuckets);
}
