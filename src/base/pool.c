// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 32 * 1024 };

#if defined(__SANITIZE_ADDRESS__)
#define PLAIN 1 /* a sanitizer sees more of malloc's blocks */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLAIN 1
#endif
#endif
#ifndef PLAIN
#define PLAIN 0
#endif

static int is_small(size_t size)
{
    return !PLAIN && size <= TG_POOL_MOST;
}

static size_t class_of(size_t size)
{
    return (size - 1) / TG_POOL_STEP;
}

/* Cuts a block from a chunk; the rest of a chunk that is too short is left. */
static void *cut(struct tg_pool *pool, size_t size)
{
    void *block;

    if ((size_t)(pool->end - pool->at) < size) {
        void **chunk = malloc(CHUNK);

        if (!chunk)
            return NULL;
        *chunk = pool->chunks;
        pool->chunks = chunk;
        pool->at = (char *)chunk + TG_POOL_STEP;
        pool->end = (char *)chunk + CHUNK;
    }
    block = pool->at;
    pool->at += size;
    return block;
}

static void *take(struct tg_pool *pool, size_t size)
{
    size_t class = class_of(size);
    void **block = pool->spare[class];

    if (!block)
        return cut(pool, (class + 1) * TG_POOL_STEP);
    pool->spare[class] = *block;
    return block;
}

static void give(struct tg_pool *pool, void *block, size_t size)
{
    size_t class = class_of(size);

    *(void **)block = pool->spare[class];
    pool->spare[class] = block;
}

static void drop(struct tg_pool *pool, void *block, size_t size)
{
    if (!block)
        return;
    if (is_small(size))
        give(pool, block, size);
    else
        free(block);
}

void *tg_pool_resize(struct tg_pool *pool, void *block, size_t old, size_t size)
{
    void *other;

    if (size == 0) {
        drop(pool, block, old);
        return NULL;
    }
    if (!block)
        return is_small(size) ? take(pool, size) : malloc(size);
    if (!is_small(old) && !is_small(size))
        return realloc(block, size);
    if (is_small(old) && is_small(size) && class_of(old) == class_of(size))
        return block;
    other = is_small(size) ? take(pool, size) : malloc(size);
    if (!other)
        return size < old ? block : NULL;
    memcpy(other, block, old < size ? old : size);
    drop(pool, block, old);
    return other;
}

void tg_pool_free(struct tg_pool *pool)
{
    void **chunk = pool->chunks;

    while (chunk) {
        void **next = *chunk;

        free(chunk);
        chunk = next;
    }
    *pool = (struct tg_pool){0};
}
