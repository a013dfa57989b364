// SPDX-License-Identifier: MIT
/*
 * Cookies (RFC 6265bis): what a client sends, and what it is told to keep.
 * Pure.
 */
#ifndef TG_HTTP_COOKIE_H
#define TG_HTTP_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_cookie_pair {
    const char *name, *value; /* as they were sent, without space or quotes
                                 around */
    size_t name_len, value_len;
};

/* Takes the next pair of a Cookie field; what has no "=" or no name is passed
 * over.  False at the end. */
bool tg_cookie_next(const char **at, const char *end,
                    struct tg_cookie_pair *pair);

enum {
    TG_COOKIE_PAIR = 4096,      /* bytes of name and value together */
    TG_COOKIE_ATTRIBUTE = 1024, /* bytes of a path or a domain */
    TG_COOKIE_ROOM = TG_COOKIE_PAIR + 2 * TG_COOKIE_ATTRIBUTE + 256
};

enum tg_same_site { TG_SAME_SITE_LAX, TG_SAME_SITE_STRICT, TG_SAME_SITE_NONE };

struct tg_cookie {
    const char *name, *value, *path, *domain; /* NULL domain: only this host */
    size_t name_len, value_len, path_len, domain_len;
    int64_t max_age; /* seconds */
    int64_t expires; /* seconds since 1970 */
    enum tg_same_site same_site;
    bool has_max_age, has_expires, secure, http_only, partitioned;
};

/* What is wrong with it, as the end of a sentence about the cookie; NULL if it
 * may be sent. */
const char *tg_cookie_check(const struct tg_cookie *cookie);

/* Writes the value of its Set-Cookie field into `room`, of TG_COOKIE_ROOM
 * bytes; it must have passed the check.  Returns the length. */
size_t tg_cookie_format(const struct tg_cookie *cookie, char *room);

/* Would it replace the one of this Set-Cookie field: are name, path and domain
 * the same? */
bool tg_cookie_replaces(const struct tg_cookie *cookie, const char *field,
                        size_t len);

#endif
