// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 32 * 1024, PAGE = 4096 };

/* All of a chunk will be used: asked for at once, its pages come in one call
 * instead of a fault each.  Kernels before 5.14 refuse, and no harm is done. */
static void bring(char *chunk)
{
    uintptr_t skipped = -(uintptr_t)chunk % PAGE;

    madvise(chunk + skipped, (CHUNK - skipped) / PAGE * PAGE,
            MADV_POPULATE_WRITE);
}

/* Cuts a block from a chunk; the rest of a chunk that is too short is left. */
static void *cut(struct tg_pool *pool, size_t size)
{
    void *block;

    if ((size_t)(pool->end - pool->at) < size) {
        void **chunk = malloc(CHUNK);

        if (!chunk)
            return NULL;
        bring((char *)chunk);
        *chunk = pool->chunks;
        pool->chunks = chunk;
        pool->at = (char *)chunk + TG_POOL_STEP;
        pool->end = (char *)chunk + CHUNK;
    }
    block = pool->at;
    pool->at += size;
    return block;
}

void *tg_pool_take_new(struct tg_pool *pool, size_t size)
{
    size_t step = TG_POOL_STEP;

    return tg_pool_has(size) ? cut(pool, (size + step - 1) / step * step)
                             : malloc(size);
}

void *tg_pool_resize(struct tg_pool *pool, void *block, size_t old, size_t size)
{
    void *other;

    if (!block)
        return size ? tg_pool_take(pool, size) : NULL;
    if (size == 0) {
        tg_pool_give(pool, block, old);
        return NULL;
    }
    if (!tg_pool_has(old) && !tg_pool_has(size))
        return realloc(block, size);
    if (tg_pool_has(old) && tg_pool_has(size) &&
        tg_pool_list(pool, old) == tg_pool_list(pool, size))
        return block;
    other = tg_pool_take(pool, size);
    if (!other)
        return size < old ? block : NULL;
    memcpy(other, block, old < size ? old : size);
    tg_pool_give(pool, block, old);
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
