// SPDX-License-Identifier: MIT
/*
 * A pool: small blocks of one owner, by size, cut from large ones.
 *
 * Whoever frees tells the size, so that blocks carry no head.  What is freed
 * is kept for the same size; all of it is given back when the pool is freed.
 * Blocks that are not small are malloc's.  Used by one thread at a time.
 */
#ifndef TG_BASE_POOL_H
#define TG_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

enum { TG_POOL_STEP = 16, TG_POOL_LARGEST = 512 };

/* Below AddressSanitizer no block is small: it sees more of malloc's. */
#if defined(__SANITIZE_ADDRESS__)
#define TG_POOL_MOST 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TG_POOL_MOST 0
#endif
#endif
#ifndef TG_POOL_MOST
#define TG_POOL_MOST TG_POOL_LARGEST
#endif

struct tg_pool {
    void *spare[TG_POOL_LARGEST / TG_POOL_STEP]; /* lists of freed blocks */
    void *chunks;
    char *at, *end; /* what is left of the newest chunk */
};

/* Gives back every small block; a zeroed pool is empty. */
void tg_pool_free(struct tg_pool *pool);

/* Is it a small size?  Never 0. */
static inline bool tg_pool_has(size_t size)
{
    return 0 < size && size <= TG_POOL_MOST;
}

static inline void **tg_pool_list(struct tg_pool *pool, size_t size)
{
    return &pool->spare[(size - 1) / TG_POOL_STEP];
}

/* A block of a size that is not 0; NULL if there is no memory. */
void *tg_pool_take_new(struct tg_pool *pool, size_t size);
static inline void *tg_pool_take(struct tg_pool *pool, size_t size)
{
    if (tg_pool_has(size)) {
        void **list = tg_pool_list(pool, size), *block = *list;

        if (block) {
            *list = *(void **)block;
            return block;
        }
    }
    return tg_pool_take_new(pool, size);
}

/* Frees a block of that size. */
static inline void tg_pool_give(struct tg_pool *pool, void *block, size_t size)
{
    if (tg_pool_has(size)) {
        void **list = tg_pool_list(pool, size);

        *(void **)block = *list;
        *list = block;
    } else {
        free(block);
    }
}

/*
 * As realloc() with the old size told: a NULL block is made, size 0 frees.
 * Returns NULL if there is no memory; a block never fails to shrink.
 */
void *tg_pool_resize(struct tg_pool *pool, void *block, size_t old,
                     size_t size);

#endif
