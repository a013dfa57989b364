// SPDX-License-Identifier: MIT
#include "http/forwarded.h"

#include <string.h>

#include "http/bytes.h"

static struct tg_part trim(const char *from, const char *to)
{
    tg_bytes_trim(&from, &to);
    return (struct tg_part){from, (size_t)(to - from)};
}

/* --- lists --- */

/* Is the byte behind an odd number of backslashes? */
static bool is_escaped(const char *start, const char *at)
{
    const char *from = at;

    while (from > start && from[-1] == '\\')
        from--;
    return (at - from) % 2;
}

/* Where the last element begins.  A quote that is well formed is read the same
 * from both sides. */
static const char *find_last(const char *start, const char *end, bool quotes)
{
    bool quoted = false;
    const char *at = end;

    while (at > start) {
        at--;
        if (*at == ',' && !quoted)
            return at + 1;
        if (*at == '"' && quotes)
            quoted = quoted ? is_escaped(start, at) : true;
    }
    return start;
}

static bool take_last(struct tg_part *list, struct tg_part *element,
                      bool quotes)
{
    while (list->len) {
        const char *end = list->at + list->len;
        const char *from = find_last(list->at, end, quotes);

        list->len = from > list->at ? (size_t)(from - 1 - list->at) : 0;
        *element = trim(from, end);
        if (element->len)
            return true;
    }
    return false;
}

bool tg_forwarded_last(struct tg_part *list, struct tg_part *element)
{
    return take_last(list, element, true);
}

bool tg_forwarded_last_word(struct tg_part *list, struct tg_part *element)
{
    return take_last(list, element, false);
}

/* --- elements --- */

/* Takes a token, or what stands between quotes. */
static bool take_value(const char **at, const char *end, struct tg_part *value)
{
    const char *from = *at, *stop;

    if (from < end && *from == '"') {
        for (stop = from + 1; stop < end && *stop != '"'; stop++)
            if (*stop == '\\' && stop + 1 < end)
                stop++;
        if (stop >= end)
            return false;
        *value = (struct tg_part){from + 1, (size_t)(stop - from - 1)};
        *at = stop + 1;
        return true;
    }
    for (stop = from; stop < end && tg_byte_is(*stop, TG_BYTE_TOKEN);)
        stop++;
    *value = (struct tg_part){from, (size_t)(stop - from)};
    *at = stop;
    return stop > from;
}

static bool keep(struct tg_forwarded *forwarded, struct tg_part name,
                 struct tg_part value)
{
    struct tg_part *slot;

    if (tg_bytes_spell(name.at, name.len, "for"))
        slot = &forwarded->node;
    else if (tg_bytes_spell(name.at, name.len, "host"))
        slot = &forwarded->host;
    else if (tg_bytes_spell(name.at, name.len, "proto"))
        slot = &forwarded->proto;
    else
        return true;
    if (slot->at || memchr(value.at, '\\', value.len))
        return false;
    *slot = value;
    return true;
}

/* RFC 7239, section 4; white space around semicolons is let pass. */
bool tg_forwarded_parse(struct tg_forwarded *forwarded, struct tg_part element)
{
    const char *at = element.at, *end = at + element.len;

    *forwarded = (struct tg_forwarded){0};
    for (;;) {
        struct tg_part name, value;

        at = tg_bytes_skip_space(at, end);
        if (at < end && *at != ';') {
            if (*at == '"' || !take_value(&at, end, &name) || at == end ||
                *at++ != '=' || !take_value(&at, end, &value) ||
                !keep(forwarded, name, value))
                return false;
        }
        at = tg_bytes_skip_space(at, end);
        if (at == end)
            return true;
        if (*at++ != ';')
            return false;
    }
}

/* --- nodes --- */

/* ":80" or ":_hidden" (RFC 7239, section 6); nothing is fine, too. */
static bool read_port(struct tg_address *address, const char *at,
                      const char *end)
{
    unsigned port;

    if (at == end)
        return true;
    if (*at++ != ':' || at == end)
        return false;
    if (*at == '_') {
        while (++at < end)
            if (!tg_byte_is(*at, TG_BYTE_TOKEN))
                return false;
        return true;
    }
    if (!tg_address_number(at, (size_t)(end - at), UINT16_MAX, &port))
        return false;
    address->port = (uint16_t)port;
    return true;
}

bool tg_forwarded_node(struct tg_address *address, struct tg_part node)
{
    const char *at = node.at, *end = at + node.len, *stop;

    if (node.len && *at == '[') {
        stop = memchr(at, ']', node.len);
        return stop && memchr(at, ':', (size_t)(stop - at)) &&
               tg_address_parse(address, at + 1, (size_t)(stop - at - 1)) &&
               read_port(address, stop + 1, end);
    }
    stop = memchr(at, ':', node.len);
    if (!stop)
        stop = end;
    return tg_address_parse(address, at, (size_t)(stop - at)) &&
           read_port(address, stop, end);
}

bool tg_forwarded_address(struct tg_address *address, struct tg_part node)
{
    return tg_address_parse(address, node.at, node.len) ||
           tg_forwarded_node(address, node);
}
