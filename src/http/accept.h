// SPDX-License-Identifier: MIT
/*
 * Which content codings a client takes, by its Accept-Encoding field
 * (RFC 9110, 12.5.3).  Pure.
 *
 *     struct tg_accept accept = {0};
 *     tg_accept_encoding(&accept, value, len);          for each such field
 *     coding = tg_accept_choose(&accept, offered, n);
 */
#ifndef TG_HTTP_ACCEPT_H
#define TG_HTTP_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tg_coding {
    TG_CODING_IDENTITY, /* none: the bytes as they are */
    TG_CODING_GZIP,     /* and x-gzip; RFC 1952 */
    TG_CODING_BROTLI,   /* br; RFC 7932 */
    TG_CODING_ZSTD,     /* RFC 8878 */
    TG_CODINGS
};

/* Zeroed it is a request without the field. */
struct tg_accept {
    uint16_t named[TG_CODINGS]; /* 1 + quality in thousandths; 0: not named */
    uint16_t others;            /* the same of "*" */
    bool malformed;             /* then nothing of the field counts */
};

/* "gzip", "br", "zstd" or "identity". */
const char *tg_coding_name(enum tg_coding coding);

/*
 * Reads one field value.  Several lines of the field are one list: read each.
 * What a later element says of a coding replaces what an earlier one said.
 */
void tg_accept_encoding(struct tg_accept *accept, const char *value,
                        size_t len);

/*
 * The coding's quality in thousandths; 0: the client does not take it.
 * Identity that is not named is taken, unless "*;q=0" excludes it.
 */
int tg_accept_quality(const struct tg_accept *accept, enum tg_coding coding);

/*
 * The one of `offered` that the client likes best; among equals, the first.
 * TG_CODING_IDENTITY, which need not be offered, if it takes none of them or
 * named identity as better: an answer it did not ask for serves it better than
 * 406 (12.5.3 leaves that to us).
 */
enum tg_coding tg_accept_choose(const struct tg_accept *accept,
                                const enum tg_coding *offered, size_t n);

#endif
