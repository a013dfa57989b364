// SPDX-License-Identifier: MIT
/*
 * Cookies (RFC 6265bis), as a server reads and writes them.  Pure.
 */
#ifndef TG_HTTP_COOKIE_H
#define TG_HTTP_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

struct tg_cookie {
    const char *name, *value; /* inside the text that was given */
    size_t name_len, value_len;
};

/*
 * Takes the next cookie of a Cookie field (4.2).  Quotes around a value are
 * taken off; what has no "=" or no name is passed over.  False at the end.
 */
bool tg_cookie_next(const char **at, const char *end, struct tg_cookie *cookie);

/* Can a cookie carry these bytes (4.1.1: cookie-octets)? */
bool tg_cookie_is_value(const char *value, size_t len);

/* Can Path or Domain be this: no control byte, no semicolon? */
bool tg_cookie_is_attribute(const char *value, size_t len);

#endif
