// SPDX-License-Identifier: MIT
/*
 * A tally counts how many of something each key has, for all threads: the
 * connections of each address.  A key takes memory only while it has some.
 */
#ifndef TG_SHARED_TALLY_H
#define TG_SHARED_TALLY_H

#include <stdbool.h>
#include <stddef.h>

enum { TG_TALLY_KEY_MOST = 64 }; /* bytes; longer keys are cut */

struct tg_tally;

struct tg_tally *tg_tally_new(void);
void tg_tally_free(struct tg_tally *tally);

/* Counts one more of the key, unless it has `most` already. */
bool tg_tally_take(struct tg_tally *tally, const char *key, long most);

/* One less: of one that was taken. */
void tg_tally_give(struct tg_tally *tally, const char *key);

#endif
