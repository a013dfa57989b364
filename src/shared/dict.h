// SPDX-License-Identifier: MIT
/*
 * A dict is a table of byte strings that every thread of the process sees.
 *
 * It outlives Lua states: a reload keeps its contents.  All functions may be
 * called from any thread; none keeps a caller's pointer, and none hands out
 * its own.  Each is atomic.  No lock is held outside of them.
 *
 * An entry may have a time to live, in seconds; 0 is for ever.  When it is
 * over the entry is gone for every function here; its memory follows when the
 * key is next looked for, or after some writes of other keys.
 *
 * Each value has a version: no other value of its key has or had the same, and
 * 0 is the version of no value.
 */
#ifndef TG_SHARED_DICT_H
#define TG_SHARED_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_dict;

/* What a value's bytes are.  The dict knows numbers, to add to them, and lists
 * of values; from TG_DICT_OPAQUE on the types are the caller's.  Files keep
 * these numbers. */
enum {
    TG_DICT_INTEGER, /* an int64_t */
    TG_DICT_FLOAT,   /* a double */
    TG_DICT_LIST,    /* of the dict's own making, by tg_dict_push() */
    TG_DICT_OPAQUE,
};

#define TG_DICT_KEEP (-1.0) /* the time to live that there is */

struct tg_dict_value {
    const void *data;
    size_t len;
    unsigned char type;
};

/* TG_DICT_INTEGER or TG_DICT_FLOAT. */
struct tg_dict_number {
    unsigned char type;
    union {
        int64_t integer;
        double real;
    };
};

/*
 * Finds the dict `name`, or makes it.  Pair each call with tg_dict_unref().  A
 * dict nobody holds keeps its entries; only an empty one is freed.
 */
struct tg_dict *tg_dict_open(const char *name);
void tg_dict_unref(struct tg_dict *dict);

/* What there has been: values found and not found by tg_dict_get(), evicted
 * and expired ones; and the bytes that entries take now. */
struct tg_dict_counts {
    uint64_t hits, misses, evictions, expired;
    size_t bytes;
};

struct tg_dict_options {
    size_t limit;     /* bytes; 0: the caller does not care */
    const char *file; /* that keeps it (see saver.h), or NULL: as above */
    double sync;      /* seconds between two saves; 0: as above, or 1 */
};

/*
 * Gives the dict what the options ask for.  False if it has something else
 * already: then `message`, of `size` bytes, is a sentence that says so.
 *
 * A dict with a limit evicts the entries that were not used for longest; what
 * is larger than the limit cannot be stored in it: -EFBIG.
 */
bool tg_dict_configure(struct tg_dict *dict,
                       const struct tg_dict_options *options, char *message,
                       size_t size);

/*
 * Copies the value into `room`; `*len` is the room on entry and the value's
 * length on return.  Returns 0, -ENOENT, -EINVAL if it is a list, or -ENOSPC if
 * the room is too small; the value may have another length the next time.
 */
int tg_dict_get(struct tg_dict *dict, const char *key, size_t key_len,
                void *room, size_t *len, unsigned char *type,
                uint64_t *version);

/* Stores a copy of the value and forgets the one before it, with its time to
 * live.  Return 0 or -EFBIG; add -EEXIST if there is an entry, replace -ENOENT
 * if there is none. */
int tg_dict_set(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds);
int tg_dict_add(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds);
int tg_dict_replace(struct tg_dict *dict, const char *key, size_t key_len,
                    const struct tg_dict_value *value, double seconds);

/*
 * Stores the value, or deletes if that is NULL, in the place of the one with
 * `*version`, and tells the new version.  Returns 0, -EFBIG, or -EAGAIN if the
 * version that is there, now in `*version`, is another.
 */
int tg_dict_swap(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_value *value, double seconds,
                 uint64_t *version);

/* Returns 0, or -ENOENT. */
int tg_dict_delete(struct tg_dict *dict, const char *key, size_t key_len);

/*
 * Adds `delta` to the number there is; if there is no entry, makes one of
 * `initial` plus `delta` that lives for `seconds`.  An integer and a float
 * make a float.  Returns 0 and the sum, or changes nothing and returns -EINVAL
 * if the value is no number, -ERANGE if an integer would overflow, or -EFBIG.
 */
int tg_dict_incr(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_number *delta,
                 const struct tg_dict_number *initial, double seconds,
                 struct tg_dict_number *sum);

/* Gives the entry another time to live; tells how long it has, INFINITY for
 * ever.  Return 0, or -ENOENT. */
int tg_dict_touch(struct tg_dict *dict, const char *key, size_t key_len,
                  double seconds);
int tg_dict_left(struct tg_dict *dict, const char *key, size_t key_len,
                 double *seconds);

/*
 * Lists: push makes one that lives for `seconds` if there is none; pop takes a
 * value out, as get copies it.  Return 0, or -EINVAL if the value is no list;
 * push -EFBIG, pop -ENOENT or -ENOSPC.  There is no empty list.
 */
int tg_dict_push(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_value *value, bool first, double seconds,
                 size_t *length);
int tg_dict_pop(struct tg_dict *dict, const char *key, size_t key_len,
                bool first, void *room, size_t *len, unsigned char *type);
int tg_dict_length(struct tg_dict *dict, const char *key, size_t key_len,
                   size_t *length);

/* How many entries there are.  Takes time in proportion to them if some have a
 * time to live. */
size_t tg_dict_size(struct tg_dict *dict);

/*
 * Copies keys of one part of the dict, from 0 to TG_DICT_PARTS - 1, into
 * `room`: each as its length, a size_t, and its bytes.  `*count` is how many at
 * most on entry, and how many on return.  Returns 0, or -ENOSPC with the room
 * it takes in `*len`.
 */
int tg_dict_keys(struct tg_dict *dict, int part, size_t *count, void *room,
                 size_t *len);
enum { TG_DICT_PARTS = 16 };

void tg_dict_count(struct tg_dict *dict, struct tg_dict_counts *counts);

/* Its limit in bytes, or 0. */
size_t tg_dict_limit(struct tg_dict *dict);

/* Deletes all entries, shard by shard: one that is written meanwhile may
 * stay. */
void tg_dict_flush(struct tg_dict *dict);

#endif
