// SPDX-License-Identifier: MIT
/* Several ranges of one file as one content: multipart/byteranges
 * (RFC 9110, 14.6). */
#ifndef TG_HTTP_BYTERANGES_H
#define TG_HTTP_BYTERANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_range;
struct tg_source;
struct tg_text;

/*
 * Adds the parts to `source`: `count` ranges of a file of `size` bytes, whose
 * media type is `part_type`.  `type` gets the media type of the whole.
 * False: there was no randomness for a boundary, and nothing was added.
 */
bool tg_byteranges_add(struct tg_source *source, const struct tg_range *ranges,
                       int count, int64_t size, const char *part_type,
                       struct tg_text *type);

/* Adds "bytes 0-4/10". */
void tg_byteranges_describe(const struct tg_range *range, int64_t size,
                            struct tg_text *out);

#endif
