// SPDX-License-Identifier: MIT
/*
 * The request-target: its path and its query (RFC 3986, RFC 9112 section 3.2).
 * Pure.
 */
#ifndef TG_HTTP_TARGET_H
#define TG_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tg_target {
    const char *path; /* still encoded; "/" for "http://host" */
    size_t path_len;
    const char *query; /* behind the "?"; NULL if there is none */
    size_t query_len;
};

/* Finds the parts of a target in origin-form, absolute-form or "*". */
void tg_target_split(const char *target, size_t len, struct tg_target *parts);

/* Is the path the same when it is decoded?  Then nobody needs to. */
bool tg_target_is_plain(const char *path, size_t len);

/*
 * Decodes the path into `room` (at least `len` bytes) and removes its dot
 * segments, also encoded ones.  "%2F" stays as it is written, so that it never
 * splits a segment.  Returns the length, or -1: a percent sign without two
 * hexadecimal digits behind it, or an encoded NUL.
 */
ssize_t tg_target_path(const char *path, size_t len, char *room);

struct tg_query_pair {
    const char *name, *value; /* still encoded */
    size_t name_len, value_len;
};

/* Takes the next pair; empty ones are passed over.  False at the end. */
bool tg_query_next(const char **at, const char *end,
                   struct tg_query_pair *pair);

/* Decodes "+" and percent signs, leaves malformed ones as they are; returns
 * the length. */
size_t tg_query_decode(const char *text, size_t len, char *room);

#endif
