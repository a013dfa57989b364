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
 */
#ifndef TG_SHARED_DICT_H
#define TG_SHARED_DICT_H

#include <stddef.h>
#include <stdint.h>

struct tg_dict;

/* What a value's bytes are.  The dict knows numbers, to add to them; from
 * TG_DICT_OPAQUE on the types are the caller's. */
enum {
    TG_DICT_INTEGER, /* an int64_t */
    TG_DICT_FLOAT,   /* a double */
    TG_DICT_OPAQUE,
};

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

/*
 * Copies the value into `room`; `*len` is the room on entry and the value's
 * length on return.  Returns 0, -ENOENT, or -ENOSPC if the room is too small;
 * the value may have another length the next time.
 */
int tg_dict_get(struct tg_dict *dict, const char *key, size_t key_len,
                void *room, size_t *len, unsigned char *type);

/* Stores a copy of the value and forgets the one before it, with its time to
 * live.  Return 0; add -EEXIST if there is an entry, replace -ENOENT if there
 * is none. */
int tg_dict_set(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds);
int tg_dict_add(struct tg_dict *dict, const char *key, size_t key_len,
                const struct tg_dict_value *value, double seconds);
int tg_dict_replace(struct tg_dict *dict, const char *key, size_t key_len,
                    const struct tg_dict_value *value, double seconds);

/* Returns 0, or -ENOENT. */
int tg_dict_delete(struct tg_dict *dict, const char *key, size_t key_len);

/*
 * Adds `delta` to the number there is; if there is no entry, makes one of
 * `initial` plus `delta` that lives for `seconds`.  An integer and a float
 * make a float.  Returns 0 and the sum, or changes nothing and returns -EINVAL
 * if the value is no number, -ERANGE if an integer would overflow.
 */
int tg_dict_incr(struct tg_dict *dict, const char *key, size_t key_len,
                 const struct tg_dict_number *delta,
                 const struct tg_dict_number *initial, double seconds,
                 struct tg_dict_number *sum);

/* How many entries there are.  Takes time in proportion to them if some have a
 * time to live. */
size_t tg_dict_size(struct tg_dict *dict);

/* Deletes all entries, shard by shard: one that is written meanwhile may
 * stay. */
void tg_dict_flush(struct tg_dict *dict);

#endif
