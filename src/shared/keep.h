// SPDX-License-Identifier: MIT
/*
 * A keep is a dict together with the file that keeps it.
 *
 * All reading is of the memory; the file is written now and then, by one
 * thread at a time.
 */
#ifndef TG_SHARED_KEEP_H
#define TG_SHARED_KEEP_H

#include <stdbool.h>
#include <stddef.h>

struct tg_dict;
struct tg_store;

struct tg_keep {
    struct tg_keep *next; /* of the saver's */
    struct tg_dict *dict;
    struct tg_store *store;
    char *path;
    double seconds; /* between two saves, */
    double due;     /* and when the next one is, on tg_clock_now() */
    bool failing;
    bool is_ours; /* nobody else has the file */
};

/* Fills the dict with what the file has; what the dict has already stays as it
 * is.  With `shares` another process may have the file, too: when it has gone,
 * what it has written by then is read.  NULL: `message`, of `size` bytes, says
 * what is wrong. */
struct tg_keep *tg_keep_open(const char *dict, const char *path, double seconds,
                             bool shares, char *message, size_t size);

/* Writes what has changed.  What fails is logged once, and tried again with
 * the next save. */
void tg_keep_save(struct tg_keep *keep);

void tg_keep_free(struct tg_keep *keep);

#endif
