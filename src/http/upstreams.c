// SPDX-License-Identifier: MIT
#include "http/upstreams.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/upstream.h"
#include "net/dialer.h"
#include "net/loop.h"
#include "net/timer.h"

enum {
    BUCKETS = 64,
    RESTING_MOST = 1024, /* of a loop; then the one longest at rest goes */
    SWEEP = 1            /* seconds between looks for what rested too long */
};

struct pool {
    struct tg_loop *loop;
    struct tg_list buckets[BUCKETS]; /* of origins */
    struct tg_list resting;          /* the longest first */
    unsigned nresting;
    struct tg_timer *sweep; /* NULL: nothing rests */
    struct tg_timer *serve; /* NULL: no line has moved */
};

struct tg_origin {
    struct tg_list link; /* in its bucket */
    struct pool *pool;
    char *key;
    struct tg_list resting; /* the longest first */
    struct tg_list line;
    unsigned open; /* connections, also those being made */
};

/* A connection, as the pool knows it. */
struct place {
    struct tg_list of_origin, of_pool; /* while it rests */
    struct tg_origin *origin;
    struct tg_upstream *upstream;
    double until;
};

static const char pool_key;

/* --- origins --- */

static struct tg_list *bucket_of(struct pool *pool, const char *key)
{
    uint32_t hash = 2166136261u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &pool->buckets[hash % BUCKETS];
}

static struct tg_origin *origin_of(struct pool *pool, const char *key)
{
    struct tg_list *bucket = bucket_of(pool, key), *link;
    struct tg_origin *origin;

    for (link = bucket->next; link != bucket; link = link->next) {
        origin = tg_list_item(link, struct tg_origin, link);
        if (strcmp(origin->key, key) == 0)
            return origin;
    }
    origin = tg_alloc(sizeof(*origin));
    origin->pool = pool;
    origin->key = tg_strdup(key);
    tg_list_init(&origin->resting);
    tg_list_init(&origin->line);
    tg_list_append(bucket, &origin->link);
    return origin;
}

static void forget_if_unused(struct tg_origin *origin)
{
    if (origin->open || !tg_list_empty(&origin->line))
        return;
    tg_list_remove(&origin->link);
    free(origin->key);
    free(origin);
}

/* --- the line --- */

static void serve_later(struct pool *pool);

/* A connection is gone, or none was made. */
static void leave(struct tg_origin *origin)
{
    origin->open--;
    if (tg_list_empty(&origin->line))
        forget_if_unused(origin);
    else
        serve_later(origin->pool);
}

static void on_lost(void *arg);

static struct tg_upstream *enter(struct tg_origin *origin, int fd)
{
    struct place *place = tg_alloc(sizeof(*place));

    tg_list_init(&place->of_origin);
    tg_list_init(&place->of_pool);
    place->origin = origin;
    place->upstream = tg_upstream_new(origin->pool->loop, fd, on_lost, place);
    return place->upstream;
}

static void drop(struct place *place);

static void give(struct tg_ask *ask, struct tg_upstream *u)
{
    ask->origin = NULL;
    ask->opening = NULL;
    ask->fn(u, NULL, NULL, ask->arg);
}

static void on_opened(void *arg)
{
    struct tg_ask *ask = arg;
    struct tg_upstream *u = ask->opening;
    const char *message, *code;

    if (tg_upstream_state(u) != TG_UPSTREAM_FAILED) {
        give(ask, u);
        return;
    }
    ask->origin = NULL;
    ask->opening = NULL;
    code = tg_upstream_failure(u, &message);
    ask->fn(NULL, message, code, ask->arg);
    drop(tg_upstream_owner(u));
}

static void on_dialed(int fd, const char *message, const char *code, void *arg)
{
    struct tg_ask *ask = arg;
    struct tg_origin *origin = ask->origin;

    ask->dial = NULL;
    if (fd < 0) {
        ask->origin = NULL;
        leave(origin);
        ask->fn(NULL, message, code, ask->arg);
        return;
    }
    ask->opening = enter(origin, fd);
    if (!ask->target.trust) {
        give(ask, ask->opening);
        return;
    }
    tg_upstream_start_tls(ask->opening, ask->target.trust, ask->target.server);
    if (tg_upstream_state(ask->opening) == TG_UPSTREAM_OPENING)
        tg_upstream_watch(ask->opening, on_opened, ask);
    else
        on_opened(ask);
}

static void dial(struct tg_ask *ask)
{
    const struct tg_upstream_target *target = &ask->target;
    struct tg_dial_target to = {target->host, target->port, target->unix_path,
                                target->timeout};

    ask->origin->open++;
    ask->dial = tg_dial_start(ask->origin->pool->loop, &to, on_dialed, ask);
}

/* --- what rests --- */

static void wake(struct place *place)
{
    tg_list_remove(&place->of_origin);
    tg_list_remove(&place->of_pool);
    place->origin->pool->nresting--;
}

/* Of one that does not rest. */
static void drop(struct place *place)
{
    struct tg_origin *origin = place->origin;

    tg_upstream_free(place->upstream);
    free(place);
    leave(origin);
}

static void on_lost(void *arg)
{
    struct place *place = arg;

    if (tg_list_empty(&place->of_pool))
        return; /* it is somebody's, who finds out */
    wake(place);
    drop(place);
}

static struct tg_upstream *take_resting(struct tg_origin *origin)
{
    while (!tg_list_empty(&origin->resting)) {
        struct place *place =
            tg_list_item(origin->resting.prev, struct place, of_origin);

        if (place->until > tg_clock_now() &&
            tg_upstream_is_fresh(place->upstream)) {
            wake(place);
            return place->upstream;
        }
        origin->open++; /* dropping it must not free the origin */
        on_lost(place);
        origin->open--;
    }
    return NULL;
}

static void on_sweep(void *arg)
{
    struct pool *pool = arg;
    struct tg_list *link = pool->resting.next, *next;
    double now = tg_clock_now();

    for (; link != &pool->resting; link = next) {
        struct place *place = tg_list_item(link, struct place, of_pool);

        next = link->next;
        if (place->until <= now)
            on_lost(place);
    }
    pool->sweep = pool->nresting
                      ? tg_timer_start(pool->loop, SWEEP, on_sweep, pool)
                      : NULL;
}

static void rest(struct place *place, double seconds)
{
    struct tg_origin *origin = place->origin;
    struct pool *pool = origin->pool;

    tg_upstream_rest(place->upstream);
    place->until = tg_clock_now() + seconds;
    tg_list_append(&origin->resting, &place->of_origin);
    tg_list_append(&pool->resting, &place->of_pool);
    if (++pool->nresting > RESTING_MOST)
        on_lost(tg_list_item(pool->resting.next, struct place, of_pool));
    if (!pool->sweep)
        pool->sweep = tg_timer_start(pool->loop, SWEEP, on_sweep, pool);
    if (!tg_list_empty(&origin->line))
        serve_later(pool);
}

/* --- the line moves --- */

static void serve_first(struct tg_origin *origin, struct tg_upstream *u)
{
    struct tg_ask *ask = tg_list_item(origin->line.next, struct tg_ask, link);

    tg_list_remove(&ask->link);
    if (!u) {
        dial(ask);
        return;
    }
    give(ask, u);
}

static bool can_dial(struct tg_origin *origin)
{
    return origin->open <
           tg_list_item(origin->line.next, struct tg_ask, link)->target.most;
}

/* The pool's origins may change whenever somebody is served. */
static bool serve_one(struct pool *pool)
{
    struct tg_list *link;
    int i;

    for (i = 0; i < BUCKETS; i++)
        for (link = pool->buckets[i].next; link != &pool->buckets[i];
             link = link->next) {
            struct tg_origin *origin =
                tg_list_item(link, struct tg_origin, link);
            struct tg_upstream *u;

            if (tg_list_empty(&origin->line))
                continue;
            u = take_resting(origin);
            if (u || can_dial(origin)) {
                serve_first(origin, u);
                return true;
            }
        }
    return false;
}

static void on_serve(void *arg)
{
    struct pool *pool = arg;

    pool->serve = NULL;
    while (serve_one(pool))
        ;
}

/* From the loop: what gives a connection back is often a task of another
 * state, and no two run at once. */
static void serve_later(struct pool *pool)
{
    if (!pool->serve)
        pool->serve = tg_timer_start(pool->loop, 0, on_serve, pool);
}

/* --- its life --- */

static void release(void *arg)
{
    struct pool *pool = arg;

    while (!tg_list_empty(&pool->resting))
        on_lost(tg_list_item(pool->resting.next, struct place, of_pool));
    if (pool->sweep)
        tg_timer_stop(pool->sweep);
    if (pool->serve)
        tg_timer_stop(pool->serve);
    free(pool);
}

static struct pool *pool_of(struct tg_loop *loop)
{
    struct pool *pool = tg_loop_kept(loop, &pool_key);
    int i;

    if (pool)
        return pool;
    pool = tg_alloc(sizeof(*pool));
    pool->loop = loop;
    tg_list_init(&pool->resting);
    for (i = 0; i < BUCKETS; i++)
        tg_list_init(&pool->buckets[i]);
    tg_loop_keep(loop, &pool_key, pool, release);
    return pool;
}

struct tg_upstream *tg_upstreams_take(struct tg_loop *loop, struct tg_ask *ask,
                                      bool fresh)
{
    struct tg_origin *origin = origin_of(pool_of(loop), ask->target.key);
    struct tg_upstream *u = NULL;

    ask->dial = NULL;
    ask->opening = NULL;
    tg_list_init(&ask->link);
    origin->open++; /* closing what rests must not free it */
    while (fresh && !tg_list_empty(&origin->resting)) /* as stale as the last */
        on_lost(tg_list_item(origin->resting.next, struct place, of_origin));
    origin->open--;
    if (tg_list_empty(&origin->line))
        u = take_resting(origin);
    if (u) {
        ask->origin = NULL;
        return u;
    }
    ask->origin = origin;
    if (origin->open < ask->target.most && tg_list_empty(&origin->line))
        dial(ask);
    else
        tg_list_append(&origin->line, &ask->link);
    return NULL;
}

void tg_upstreams_cancel(struct tg_ask *ask)
{
    struct tg_origin *origin = ask->origin;

    if (!origin)
        return;
    ask->origin = NULL;
    tg_list_remove(&ask->link);
    if (ask->dial) {
        tg_dial_cancel(ask->dial);
        leave(origin);
    } else if (ask->opening) {
        tg_upstream_watch(ask->opening, NULL, NULL);
        drop(tg_upstream_owner(ask->opening));
    } else if (tg_list_empty(&origin->line)) {
        forget_if_unused(origin);
    } else {
        serve_later(origin->pool);
    }
}

void tg_upstreams_put(struct tg_upstream *u, double seconds)
{
    struct place *place = tg_upstream_owner(u);
    double keep = tg_upstream_keep(u);

    keep = keep < seconds ? keep : seconds;
    if (keep > 0)
        rest(place, keep);
    else
        drop(place);
}
