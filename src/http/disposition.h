// SPDX-License-Identifier: MIT
/* Content-Disposition of a response (RFC 6266).  Pure. */
#ifndef TG_HTTP_DISPOSITION_H
#define TG_HTTP_DISPOSITION_H

#include <stddef.h>

struct tg_text;

/*
 * Adds the value that has the client save the content under `name`: as ASCII,
 * where other bytes are underscores, and behind that as it is (RFC 8187) if it
 * is UTF-8.  Slashes and control characters always become underscores.
 */
void tg_disposition_attachment(const char *name, size_t len,
                               struct tg_text *out);

#endif
