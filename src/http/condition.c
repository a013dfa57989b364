// SPDX-License-Identifier: MIT
#include "http/condition.h"

#include "http/bytes.h"
#include "http/date.h"
#include "http/framing.h"

struct tag {
    const char *at; /* the opaque part, with its quotes */
    size_t len;
    bool is_weak;
};

/* An entity-tag (8.8.3); returns where it ends, or NULL. */
static const char *read_tag(const char *at, const char *end, struct tag *tag)
{
    tag->is_weak = end - at > 2 && at[0] == 'W' && at[1] == '/';
    if (tag->is_weak)
        at += 2;
    if (at == end || *at != '"')
        return NULL;
    tag->at = at++;
    while (at < end && *at != '"' && (unsigned char)*at > ' ' && *at != 127)
        at++;
    if (at == end || *at != '"')
        return NULL;
    tag->len = (size_t)(++at - tag->at);
    return at;
}

/* Weakly, two tags are the same whether either is weak or not (8.8.3.2). */
static bool is_ours(const struct tag *tag, const struct tg_validators *ours,
                    bool weakly)
{
    struct tag mine;

    if (!ours->etag ||
        !read_tag(ours->etag, ours->etag + ours->etag_len, &mine))
        return false;
    return (weakly || !(tag->is_weak || mine.is_weak)) &&
           tag->len == mine.len && memcmp(tag->at, mine.at, tag->len) == 0;
}

static bool line_names_ours(const char *at, size_t len,
                            const struct tg_validators *ours, bool weakly)
{
    const char *end = at + len;
    struct tag tag;

    if (len == 1 && *at == '*')
        return true;
    while (at < end) {
        if (*at == ',' || *at == ' ' || *at == '\t') {
            at++;
            continue;
        }
        at = read_tag(at, end, &tag);
        if (!at)
            return false;
        if (is_ours(&tag, ours, weakly))
            return true;
    }
    return false;
}

/* Does any line of that field name our tag?  `*there`: is there one? */
static bool names_ours(const struct tg_head *head, const char *bytes,
                       const char *name, const struct tg_validators *ours,
                       bool weakly, bool *there)
{
    const struct tg_field *field;
    unsigned index = 0;

    *there = false;
    while ((field = tg_head_field(head, bytes, name, &index))) {
        *there = true;
        if (line_names_ours(bytes + field->value.at, field->value.len, ours,
                            weakly))
            return true;
    }
    return false;
}

/* The date of a field that stands there once. */
static bool read_date(const struct tg_head *head, const char *bytes,
                      const char *name, int64_t now, int64_t *date)
{
    unsigned index = 0;
    const struct tg_field *field = tg_head_field(head, bytes, name, &index);

    return field && !tg_head_field(head, bytes, name, &index) &&
           tg_date_parse(bytes + field->value.at, field->value.len, now, date);
}

int tg_condition_weigh(const struct tg_head *head, const char *bytes,
                       const struct tg_validators *ours)
{
    bool there, named;
    int64_t date;

    named = names_ours(head, bytes, "if-match", ours, false, &there);
    if (there && !named)
        return 412;
    if (!there && ours->modified >= 0 &&
        read_date(head, bytes, "if-unmodified-since", ours->now, &date) &&
        ours->modified > date)
        return 412;
    named = names_ours(head, bytes, "if-none-match", ours, true, &there);
    if (there)
        return named ? 304 : 0;
    if (ours->modified >= 0 &&
        read_date(head, bytes, "if-modified-since", ours->now, &date) &&
        ours->modified <= date)
        return 304;
    return 0;
}

/* A date is a strong validator when nothing can have changed within its second
 * (8.8.2.2). */
static bool is_date_of_ours(const char *at, size_t len,
                            const struct tg_validators *ours)
{
    int64_t date;

    return tg_date_parse(at, len, ours->now, &date) && date == ours->modified &&
           ours->now > ours->modified;
}

bool tg_condition_lets_range(const struct tg_head *head, const char *bytes,
                             const struct tg_validators *ours)
{
    unsigned index = 0;
    const struct tg_field *field =
        tg_head_field(head, bytes, "if-range", &index);
    const char *at, *end;
    struct tag tag;

    if (!field)
        return true;
    at = bytes + field->value.at;
    end = at + field->value.len;
    if (tg_head_field(head, bytes, "if-range", &index))
        return false;
    if (read_tag(at, end, &tag) == end)
        return is_ours(&tag, ours, false);
    return is_date_of_ours(at, field->value.len, ours);
}
