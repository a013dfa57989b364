// SPDX-License-Identifier: MIT
#include "http/cookie.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **from, const char **to)
{
    while (*from < *to && is_space(**from))
        (*from)++;
    while (*to > *from && is_space((*to)[-1]))
        (*to)--;
}

/* False: it is none. */
static bool split(const char *from, const char *to, struct tg_cookie *cookie)
{
    const char *equals = memchr(from, '=', (size_t)(to - from));
    const char *name_end = equals, *value;

    if (!equals)
        return false;
    value = equals + 1;
    trim(&from, &name_end);
    trim(&value, &to);
    if (to - value >= 2 && *value == '"' && to[-1] == '"') {
        value++;
        to--;
    }
    *cookie = (struct tg_cookie){from, value, (size_t)(name_end - from),
                                 (size_t)(to - value)};
    return cookie->name_len > 0;
}

bool tg_cookie_next(const char **at, const char *end, struct tg_cookie *cookie)
{
    while (*at < end) {
        const char *from = *at;
        const char *stop = memchr(from, ';', (size_t)(end - from));

        *at = stop ? stop + 1 : end;
        if (split(from, stop ? stop : end, cookie))
            return true;
    }
    return false;
}

bool tg_cookie_is_value(const char *value, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (value[i] <= ' ' || value[i] >= 127 || strchr("\",;\\", value[i]))
            return false;
    return true;
}

bool tg_cookie_is_attribute(const char *value, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 127 || value[i] == ';')
            return false;
    return true;
}
