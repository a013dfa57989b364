// SPDX-License-Identifier: MIT
/*
 * libevent's memory, through functions of ours: counted, and with a free list
 * per thread for the small blocks a connection and a request are made of.
 */
#ifndef TG_NET_MEMORY_H
#define TG_NET_MEMORY_H

#include <stddef.h>

/* Has libevent use ours; before its first allocation. */
void tg_memory_count(void);

/* Bytes libevent holds now, and the most it held; of threads that flushed. */
void tg_memory_total(long *now, long *most);

/* Adds the calling thread's counts to the total and frees its free lists. */
void tg_memory_flush(void);

#endif
