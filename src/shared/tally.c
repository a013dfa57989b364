// SPDX-License-Identifier: MIT
#include "shared/tally.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

enum { SHARDS = 64, BUCKETS = 256 };

struct entry {
    struct entry *next;
    long count;
    char key[TG_TALLY_KEY_MOST];
};

/* Locks beside each other: to make them touches few pages of memory. */
struct tg_tally {
    uint64_t seed; /* so that nobody can choose keys that collide */
    pthread_mutex_t locks[SHARDS];
    struct entry *buckets[SHARDS][BUCKETS];
};

struct tg_tally *tg_tally_new(void)
{
    struct tg_tally *tally = tg_alloc(sizeof(*tally));
    int i;

    if (getrandom(&tally->seed, sizeof(tally->seed), 0) < 0)
        tally->seed = (uint64_t)(uintptr_t)tally;
    for (i = 0; i < SHARDS; i++)
        pthread_mutex_init(&tally->locks[i], NULL);
    return tally;
}

void tg_tally_free(struct tg_tally *tally)
{
    struct entry *entry;
    int i, j;

    for (i = 0; i < SHARDS; i++) {
        for (j = 0; j < BUCKETS; j++)
            while ((entry = tally->buckets[i][j])) {
                tally->buckets[i][j] = entry->next;
                free(entry);
            }
        pthread_mutex_destroy(&tally->locks[i]);
    }
    free(tally);
}

static uint64_t hash(const struct tg_tally *tally, const char *key)
{
    uint64_t h = tally->seed;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 33;
}

/* The place that points to the key's entry, or to NULL. */
static struct entry **find(struct tg_tally *tally, uint64_t h, const char *key)
{
    struct entry **at = &tally->buckets[h % SHARDS][h / SHARDS % BUCKETS];

    while (*at && strncmp((*at)->key, key, TG_TALLY_KEY_MOST - 1) != 0)
        at = &(*at)->next;
    return at;
}

bool tg_tally_take(struct tg_tally *tally, const char *key, long most)
{
    uint64_t h = hash(tally, key);
    pthread_mutex_t *lock = &tally->locks[h % SHARDS];
    struct entry **at;
    bool may;

    pthread_mutex_lock(lock);
    at = find(tally, h, key);
    if (!*at) {
        *at = tg_alloc(sizeof(**at));
        strncpy((*at)->key, key, TG_TALLY_KEY_MOST - 1);
    }
    may = (*at)->count < most;
    if (may)
        (*at)->count++;
    pthread_mutex_unlock(lock);
    return may;
}

void tg_tally_give(struct tg_tally *tally, const char *key)
{
    uint64_t h = hash(tally, key);
    pthread_mutex_t *lock = &tally->locks[h % SHARDS];
    struct entry **at, *entry;

    pthread_mutex_lock(lock);
    at = find(tally, h, key);
    entry = *at;
    if (entry && --entry->count == 0)
        *at = entry->next;
    else
        entry = NULL;
    pthread_mutex_unlock(lock);
    free(entry);
}
