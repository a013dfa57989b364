// SPDX-License-Identifier: MIT
/*
 * Scratch: large room that a function needs while it runs, one for each thread
 * that calls it.
 *
 *     static _Thread_local struct tg_scratch scratch;
 *     char *room = tg_scratch_room(&scratch, SIZE);
 *
 * It is made when it is asked for first.  An array that is _Thread_local is
 * zeroed in every thread there is, before that one begins.
 */
#ifndef TG_BASE_SCRATCH_H
#define TG_BASE_SCRATCH_H

#include <stddef.h>

struct tg_scratch {
    char *room;
    struct tg_scratch *next; /* of the thread's */
};

/* The room; `size` is the same at every call. */
char *tg_scratch_room(struct tg_scratch *scratch, size_t size);

/* Frees all of the calling thread, which is about to end. */
void tg_scratch_free(void);

#endif
