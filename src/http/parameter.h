// SPDX-License-Identifier: MIT
/*
 * Values with parameters, such as `multipart/form-data; boundary=x` (RFC 9110,
 * sections 5.6.6 and 8.3.1).  Pure.
 */
#ifndef TG_HTTP_PARAMETER_H
#define TG_HTTP_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

struct tg_parameter {
    const char *name, *value; /* a quoted value: without its quotes, escaped */
    size_t name_len, value_len;
    bool quoted;
};

/* Is what stands in front of the parameters this lower-case word?  If so, `*at`
 * is where they begin. */
bool tg_parameter_begin(const char **at, const char *end, const char *word);

/* Takes the next parameter.  Returns 1, 0 at the end, or -1: malformed. */
int tg_parameter_next(const char **at, const char *end,
                      struct tg_parameter *parameter);

/* Is that its name, in whatever case? */
bool tg_parameter_is(const struct tg_parameter *parameter, const char *name);

#endif
