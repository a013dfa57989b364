// SPDX-License-Identifier: MIT
/*
 * libevent's memory: malloc's, with a free list per thread for the small blocks
 * that a connection is made of.
 */
#ifndef TG_NET_MEMORY_H
#define TG_NET_MEMORY_H

/* Has libevent use it; before its first allocation. */
void tg_memory_setup(void);

/* Frees the calling thread's lists and adds its count to the total, at its
 * end. */
void tg_memory_flush(void);

/* Blocks libevent holds; of threads that flushed. */
long tg_memory_held(void);

#endif
