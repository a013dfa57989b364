// SPDX-License-Identifier: MIT
#include "http/cookie.h"

#include <stdio.h>
#include <string.h>

#include "http/bytes.h"
#include "http/date.h"

static const int64_t last_expires = 253402300799; /* the end of year 9999 */

/* [from, to) without white space around it. */
static const char *trim(const char *from, const char *to, size_t *len)
{
    tg_bytes_trim(&from, &to);
    *len = (size_t)(to - from);
    return from;
}

/* Takes what stands up to the next ";".  False at the end. */
static bool next_piece(const char **at, const char *end,
                       struct tg_cookie_pair *pair)
{
    const char *stop, *equals;

    if (*at >= end)
        return false;
    stop = memchr(*at, ';', (size_t)(end - *at));
    if (!stop)
        stop = end;
    equals = memchr(*at, '=', (size_t)(stop - *at));
    pair->name = trim(*at, equals ? equals : stop, &pair->name_len);
    pair->value = trim(equals ? equals + 1 : stop, stop, &pair->value_len);
    if (!equals)
        pair->value = NULL;
    *at = stop + 1;
    return true;
}

bool tg_cookie_next(const char **at, const char *end,
                    struct tg_cookie_pair *pair)
{
    do {
        if (!next_piece(at, end, pair))
            return false;
    } while (!pair->value || !pair->name_len);
    if (pair->value_len >= 2 && pair->value[0] == '"' &&
        pair->value[pair->value_len - 1] == '"') {
        pair->value++;
        pair->value_len -= 2;
    }
    return true;
}

static bool is_octet(char c)
{
    return '!' <= c && c <= '~' && c != '"' && c != ',' && c != ';' &&
           c != '\\';
}

static bool is_value(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!is_octet(at[i]))
            return false;
    return true;
}

static bool is_path(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (at[i] < ' ' || at[i] > '~' || at[i] == ';')
            return false;
    return len && at[0] == '/' && at[len - 1] != ' ';
}

static bool is_domain(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (!(('0' <= at[i] && at[i] <= '9') ||
              ('a' <= (at[i] | 32) && (at[i] | 32) <= 'z') || at[i] == '-' ||
              (at[i] == '.' && i && at[i - 1] != '.')))
            return false;
    return len && at[len - 1] != '.';
}

/* Browsers look at the prefix without regard to case. */
static bool has_prefix(const struct tg_cookie *cookie, const char *prefix)
{
    size_t len = strlen(prefix);

    return cookie->name_len >= len &&
           strncasecmp(cookie->name, prefix, len) == 0;
}

static const char *check_prefix(const struct tg_cookie *cookie)
{
    bool host_http = has_prefix(cookie, "__Host-Http-");
    bool host = has_prefix(cookie, "__Host-");
    bool http = has_prefix(cookie, "__Http-") || host_http;

    if ((host || http || has_prefix(cookie, "__Secure-")) && !cookie->secure)
        return "needs secure = true for the prefix of its name";
    if (http && !cookie->http_only)
        return "cannot have http_only = false with the prefix of its name";
    if (host && (cookie->domain || cookie->path_len != 1))
        return "can have no domain, and no path but \"/\", with the prefix of "
               "its name";
    return NULL;
}

const char *tg_cookie_check(const struct tg_cookie *cookie)
{
    if (!cookie->name_len ||
        !tg_bytes_are(cookie->name, cookie->name_len, TG_BYTE_TOKEN))
        return "has a name that is no token";
    if (!is_value(cookie->value, cookie->value_len))
        return "has a byte in its value that cookies cannot carry: encode it";
    if (cookie->name_len + cookie->value_len > TG_COOKIE_PAIR)
        return "is too large: name and value have at most 4096 bytes";
    if (!is_path(cookie->path, cookie->path_len))
        return "has a path that does not begin with \"/\", or with a byte that "
               "cookies cannot carry";
    if (cookie->domain && !is_domain(cookie->domain, cookie->domain_len))
        return "has a domain that is no host name";
    if (cookie->path_len > TG_COOKIE_ATTRIBUTE ||
        (cookie->domain && cookie->domain_len > TG_COOKIE_ATTRIBUTE))
        return "has a path or a domain of more than 1024 bytes";
    if (cookie->has_expires &&
        (cookie->expires < 0 || cookie->expires > last_expires))
        return "expires outside the years 1970 to 9999";
    if (cookie->same_site == TG_SAME_SITE_NONE && !cookie->secure)
        return "needs secure = true for same_site = \"None\"";
    if (cookie->partitioned && !cookie->secure)
        return "needs secure = true for partitioned = true";
    return check_prefix(cookie);
}

static char *add(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *adds(char *at, const char *string)
{
    return add(at, string, strlen(string));
}

size_t tg_cookie_format(const struct tg_cookie *cookie, char *room)
{
    static const char *const sites[] = {"Lax", "Strict", "None"};
    char *at = add(room, cookie->name, cookie->name_len);
    char expires[TG_DATE_LEN + 1];

    at = adds(at, "=");
    at = add(at, cookie->value, cookie->value_len);
    at = adds(at, "; Path=");
    at = add(at, cookie->path, cookie->path_len);
    if (cookie->domain) {
        at = adds(at, "; Domain=");
        at = add(at, cookie->domain, cookie->domain_len);
    }
    at = adds(at, "; SameSite=");
    at = adds(at, sites[cookie->same_site]);
    if (cookie->has_max_age)
        at += sprintf(at, "; Max-Age=%lld", (long long)cookie->max_age);
    if (cookie->has_expires) {
        tg_date_format(cookie->expires, expires);
        at = adds(at, "; Expires=");
        at = adds(at, expires);
    }
    if (cookie->http_only)
        at = adds(at, "; HttpOnly");
    if (cookie->secure)
        at = adds(at, "; Secure");
    if (cookie->partitioned)
        at = adds(at, "; Partitioned");
    return (size_t)(at - room);
}

static bool equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool is_attribute(const struct tg_cookie_pair *pair, const char *name)
{
    return pair->value && tg_bytes_spell(pair->name, pair->name_len, name);
}

bool tg_cookie_replaces(const struct tg_cookie *cookie, const char *field,
                        size_t len)
{
    const char *at = field, *end = field + len;
    struct tg_cookie_pair pair, path = {0}, domain = {0};

    if (!next_piece(&at, end, &pair) || !pair.value ||
        !equal(pair.name, pair.name_len, cookie->name, cookie->name_len))
        return false;
    while (next_piece(&at, end, &pair)) {
        if (is_attribute(&pair, "path"))
            path = pair;
        else if (is_attribute(&pair, "domain"))
            domain = pair;
    }
    return equal(path.value, path.value_len, cookie->path, cookie->path_len) &&
           domain.value_len == (cookie->domain ? cookie->domain_len : 0) &&
           (!domain.value_len ||
            strncasecmp(domain.value, cookie->domain, domain.value_len) == 0);
}
