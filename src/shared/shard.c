// SPDX-License-Identifier: MIT
#include "shared/shard.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/table.h"

void tg_shard_init(struct tg_shard *shard, uint64_t version)
{
    pthread_mutex_init(&shard->lock, NULL);
    tg_table_clear(shard);
    shard->version = version;
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

static int load_number(const struct tg_entry *entry,
                       struct tg_dict_number *number)
{
    if (entry->type > TG_DICT_FLOAT)
        return -EINVAL;
    number->type = entry->type;
    memcpy(&number->integer, entry->bytes, sizeof(number->integer));
    return 0;
}

/* --- reading --- */

static int copy(const struct tg_entry *entry, void *room, size_t *len,
                unsigned char *type)
{
    size_t size = *len;

    if (entry->type == TG_DICT_LIST)
        return -EINVAL;
    *len = entry->len;
    *type = entry->type;
    if (entry->len > size)
        return -ENOSPC;
    if (entry->len)
        memcpy(room, entry->bytes, entry->len);
    return 0;
}

int tg_shard_get(struct tg_shard *shard, const struct tg_shard_key *key,
                 void *room, size_t *len, unsigned char *type,
                 uint64_t *version)
{
    struct tg_entry *dead = NULL, **link;
    int error = -ENOENT;

    pthread_mutex_lock(&shard->lock);
    link = tg_table_find(shard, key, tg_table_clock(shard), &dead);
    if (link) {
        error = copy(*link, room, len, type);
        *version = (*link)->version;
        tg_table_use(shard, *link);
    }
    if (error == -ENOENT)
        shard->counts.misses++;
    else if (error != -ENOSPC) /* it will be asked again */
        shard->counts.hits++;
    tg_table_leave(shard, dead);
    return error;
}

int tg_shard_left(struct tg_shard *shard, const struct tg_shard_key *key,
                  double *seconds)
{
    struct tg_entry *dead = NULL, **link;
    double now;

    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    link = tg_table_find(shard, key, now, &dead);
    if (link)
        *seconds =
            (*link)->expires != 0 ? (*link)->expires - now : (double)INFINITY;
    tg_table_leave(shard, dead);
    return link ? 0 : -ENOENT;
}

/* --- writing --- */

/* Ends a write: a little is tidied up. */
static void end_write(struct tg_shard *shard, const struct tg_entry *keep,
                      double now, struct tg_entry *dead)
{
    tg_table_sweep(shard, TG_TABLE_SWEEP, now, &dead);
    tg_table_evict(shard, keep, &dead);
    tg_table_leave(shard, dead);
}

/* Is put where `link` is, or where nothing is. */
static void put(struct tg_shard *shard, struct tg_entry **link,
                struct tg_entry *entry, struct tg_entry **dead)
{
    if (link)
        tg_table_exchange(shard, link, entry, dead);
    else
        tg_table_insert(shard, entry);
}

static bool is_too_large(const struct tg_shard *shard,
                         const struct tg_entry *entry)
{
    return shard->room && tg_entry_cost(entry) > shard->room->most;
}

int tg_shard_store(struct tg_shard *shard, const struct tg_shard_key *key,
                   const struct tg_dict_value *value, double seconds,
                   const struct tg_shard_terms *terms)
{
    struct tg_entry *entry = tg_entry_new(key, value, seconds);
    struct tg_entry *dead = NULL, **link;
    double now;
    int error;

    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    link = tg_table_find(shard, key, now, &dead);
    error = link ? terms->if_there : terms->if_not;
    if (!error && is_too_large(shard, entry))
        error = -EFBIG;
    if (error) {
        entry->next = dead;
        dead = entry;
    } else {
        put(shard, link, entry, &dead);
    }
    end_write(shard, entry, now, dead);
    return error;
}

int tg_shard_swap(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_value *value, double seconds,
                  uint64_t *version)
{
    struct tg_entry *entry =
        value ? tg_entry_new(key, value, seconds < 0 ? 0 : seconds) : NULL;
    struct tg_entry *dead = NULL, **link;
    uint64_t found;
    double now;
    int error = 0;

    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    link = tg_table_find(shard, key, now, &dead);
    found = link ? (*link)->version : 0;
    if (found != *version)
        error = -EAGAIN;
    else if (entry && is_too_large(shard, entry))
        error = -EFBIG;
    if (entry && error) {
        entry->next = dead;
        dead = entry;
    } else if (entry) {
        if (link && seconds < 0)
            entry->expires = (*link)->expires;
        put(shard, link, entry, &dead);
        found = entry->version;
    } else if (link && !error) {
        tg_table_kill(shard, link, &dead);
        found = 0;
    }
    *version = found;
    end_write(shard, entry, now, dead);
    return error;
}

int tg_shard_delete(struct tg_shard *shard, const struct tg_shard_key *key)
{
    struct tg_entry *dead = NULL, **link;

    pthread_mutex_lock(&shard->lock);
    link = tg_table_find(shard, key, tg_table_clock(shard), &dead);
    if (link)
        tg_table_kill(shard, link, &dead);
    tg_table_leave(shard, dead);
    return link ? 0 : -ENOENT;
}

int tg_shard_touch(struct tg_shard *shard, const struct tg_shard_key *key,
                   double seconds)
{
    struct tg_entry *dead = NULL, **link;

    pthread_mutex_lock(&shard->lock);
    link = tg_table_find(shard, key, tg_table_clock(shard), &dead);
    if (link) {
        tg_table_use(shard, *link);
        tg_table_set_expiry(shard, *link, tg_entry_expiry(seconds));
    }
    tg_table_leave(shard, dead);
    return link ? 0 : -ENOENT;
}

int tg_shard_incr(struct tg_shard *shard, const struct tg_shard_key *key,
                  const struct tg_dict_number *delta,
                  const struct tg_dict_number *initial, double seconds,
                  struct tg_dict_number *sum)
{
    struct tg_dict_number number = *initial;
    struct tg_entry *entry = NULL, *dead = NULL, **link;
    double now;
    int error;

    pthread_mutex_lock(&shard->lock);
    now = tg_table_clock(shard);
    link = tg_table_find(shard, key, now, &dead);
    error = link ? load_number(*link, &number) : 0;
    if (!error)
        error = add(&number, delta, sum);
    if (!error && link) {
        entry = *link;
        entry->type = sum->type;
        memcpy(entry->bytes, &sum->integer, sizeof(sum->integer));
        tg_table_use(shard, entry);
        tg_table_written(shard, entry, 0);
    } else if (!error) {
        struct tg_dict_value value = {&sum->integer, sizeof(sum->integer),
                                      sum->type};

        entry = tg_entry_new(key, &value, seconds);
        if (is_too_large(shard, entry)) {
            entry->next = dead;
            dead = entry;
            error = -EFBIG;
        } else {
            tg_table_insert(shard, entry);
        }
    }
    end_write(shard, entry, now, dead);
    return error;
}
