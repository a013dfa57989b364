// SPDX-License-Identifier: MIT
/*
 * A store is a file that keeps the entries of a dict: an SQLite database.
 *
 * What is written between begin and commit is in the file whole or not at all,
 * whenever the process ends.  A store belongs to one thread at a time, and its
 * file to one process, or for a while to that and its successor.
 */
#ifndef TG_SHARED_STORE_H
#define TG_SHARED_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct tg_store;

/* An entry as a file has it. */
struct tg_store_record {
    const char *key;
    size_t key_len;
    unsigned char type; /* as dict.h has it: files keep these numbers */
    const char *data;   /* of a list, its items; see shard_kept.c */
    size_t len;
    double expires; /* seconds since 1970; 0 is never */
};

/* Opens the file, or makes it and the folder it is in.  With `shares` another
 * process may have it, too.  NULL: `message`, of
 * `size` bytes, says what is wrong, and begins with the path. */
struct tg_store *tg_store_open(const char *path, bool shares, char *message,
                               size_t size);

/* Does no other process have the file, from here on? */
bool tg_store_own(struct tg_store *store);

/* Calls `fn` for each entry, or for those that others have written, until it
 * returns false; what is over is removed first.  False: as above. */
bool tg_store_load(struct tg_store *store, bool of_others,
                   bool (*fn)(const struct tg_store_record *record, void *arg),
                   void *arg, char *message, size_t size);

/* Is there such an entry?  If it cannot be told, yes. */
bool tg_store_has(struct tg_store *store, const char *key, size_t len);

/* Begins to write; with `afresh` all that is there is removed. */
bool tg_store_begin(struct tg_store *store, bool afresh);
bool tg_store_put(struct tg_store *store, const struct tg_store_record *record);
bool tg_store_remove(struct tg_store *store, const char *key, size_t len);

/* False: nothing of it is in the file.  After any false, roll back. */
bool tg_store_commit(struct tg_store *store);
void tg_store_roll_back(struct tg_store *store);

/* Why the last of these was false. */
const char *tg_store_error(struct tg_store *store);

void tg_store_close(struct tg_store *store);

#endif
