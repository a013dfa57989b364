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

#include <stddef.h>

enum { TG_POOL_STEP = 16, TG_POOL_MOST = 512 };

struct tg_pool {
    void *spare[TG_POOL_MOST / TG_POOL_STEP]; /* lists of freed blocks */
    void *chunks;
    char *at, *end; /* what is left of the newest chunk */
};

/*
 * As realloc() with the old size told: a NULL block is made, size 0 frees.
 * Returns NULL if there is no memory; a block never fails to shrink.
 */
void *tg_pool_resize(struct tg_pool *pool, void *block, size_t old,
                     size_t size);

/* Gives back every small block; a zeroed pool is empty. */
void tg_pool_free(struct tg_pool *pool);

#endif
