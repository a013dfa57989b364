// SPDX-License-Identifier: MIT
/*
 * One field line (RFC 9112, section 5), for heads and trailers alike (private
 * to framing).
 */
#ifndef TG_HTTP_FRAMING_FIELD_H
#define TG_HTTP_FRAMING_FIELD_H

#include "http/framing.h"

/* Splits the line data[start..end), without its CRLF.  Returns 0 or a status.
 */
int tg_field_parse(struct tg_field *field, const char *data, size_t start,
                   size_t end);

/* [from, to) without white space around it, as a span of `base`. */
struct tg_span tg_field_trim(const char *base, const char *from,
                             const char *to);

#endif
