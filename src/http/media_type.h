// SPDX-License-Identifier: MIT
/*
 * Media types, as Content-Type has them (RFC 9110, 8.3.1).  Pure.
 */
#ifndef TG_HTTP_MEDIA_TYPE_H
#define TG_HTTP_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Is it this type, in lower case, whatever its parameters? */
bool tg_media_type_is(const char *type, size_t len, const char *other);

/* Is content of the type worth encoding?  Text is, and what is written like
 * it; what has its own compression is not. */
bool tg_media_type_is_compressible(const char *type, size_t len);

#endif
