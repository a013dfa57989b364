// SPDX-License-Identifier: MIT
/* Status codes (RFC 9110, section 15, and the registry). */
#ifndef TG_HTTP_STATUS_H
#define TG_HTTP_STATUS_H

#include <stdbool.h>

/* "Not Found"; "" for a code that has no registered phrase. */
const char *tg_status_reason(int status);

/* Must a response with this status have no content? (1xx, 204, 304) */
bool tg_status_is_bodiless(int status);

#endif
