// SPDX-License-Identifier: MIT
#include "http/accept.h"

#include "http/bytes.h"

static const char *const names[TG_CODINGS] = {
    [TG_CODING_IDENTITY] = "identity",
    [TG_CODING_GZIP] = "gzip",
    [TG_CODING_BROTLI] = "br",
    [TG_CODING_ZSTD] = "zstd",
};

const char *tg_coding_name(enum tg_coding coding)
{
    return names[coding];
}

/* A qvalue (12.4.2) in thousandths; NULL if it is none. */
static const char *read_quality(const char *at, const char *end, unsigned *q)
{
    unsigned worth = 100;

    if (at == end || (*at != '0' && *at != '1'))
        return NULL;
    *q = *at++ == '1' ? 1000 : 0;
    if (at == end || *at != '.')
        return at;
    for (at++; at < end && '0' <= *at && *at <= '9'; at++, worth /= 10) {
        *q += worth * (unsigned)(*at - '0');
        if (worth == 0 || *q > 1000)
            return NULL;
    }
    return at;
}

/* What stands behind the coding's name; NULL if that is no weight. */
static const char *read_weight(const char *at, const char *end, unsigned *q)
{
    *q = 1000;
    at = tg_bytes_skip_space(at, end);
    if (at == end || *at != ';')
        return at;
    at = tg_bytes_skip_space(at + 1, end);
    if (end - at < 2 || (*at != 'q' && *at != 'Q') || at[1] != '=')
        return NULL;
    at = read_quality(at + 2, end, q);
    return at ? tg_bytes_skip_space(at, end) : NULL;
}

static void put(struct tg_accept *accept, const char *name, size_t len,
                unsigned q)
{
    int i;

    if (len == 1 && *name == '*')
        accept->others = (uint16_t)(q + 1);
    for (i = 0; i < TG_CODINGS; i++)
        if (tg_bytes_spell(name, len, names[i]) ||
            (i == TG_CODING_GZIP && tg_bytes_spell(name, len, "x-gzip")))
            accept->named[i] = (uint16_t)(q + 1);
}

void tg_accept_encoding(struct tg_accept *accept, const char *value, size_t len)
{
    const char *at = value, *end = value + len;

    while ((at = tg_bytes_skip_space(at, end)) < end) {
        const char *name = at;
        size_t name_len;
        unsigned q;

        at = tg_bytes_skip_token(at, end);
        name_len = (size_t)(at - name);
        if (name_len) {
            at = read_weight(at, end, &q);
            if (at)
                put(accept, name, name_len, q);
        }
        if (!at || (at < end && *at != ',')) {
            accept->malformed = true;
            return;
        }
        at += at < end;
    }
}

int tg_accept_quality(const struct tg_accept *accept, enum tg_coding coding)
{
    if (accept->malformed)
        return coding == TG_CODING_IDENTITY ? 1000 : 0;
    if (accept->named[coding])
        return accept->named[coding] - 1;
    if (accept->others)
        return accept->others - 1;
    return coding == TG_CODING_IDENTITY ? 1000 : 0;
}

enum tg_coding tg_accept_choose(const struct tg_accept *accept,
                                const enum tg_coding *offered, size_t n)
{
    enum tg_coding best = TG_CODING_IDENTITY;
    int most = 0, q;
    size_t i;

    for (i = 0; i < n; i++) {
        q = tg_accept_quality(accept, offered[i]);
        if (q > most) {
            best = offered[i];
            most = q;
        }
    }
    /* Identity that is only implied is the last resort, not a wish. */
    if (accept->named[TG_CODING_IDENTITY] > most + 1)
        best = TG_CODING_IDENTITY;
    return best;
}
