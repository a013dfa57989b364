// SPDX-License-Identifier: MIT
/*
 * Dates as HTTP writes them (RFC 9110, 5.6.7), in seconds since 1970; whatever
 * the time zone and the language are here.
 */
#ifndef TG_HTTP_DATE_H
#define TG_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_DATE_LEN = 29 };

/* Writes "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL.  Moments before 1970 and
 * behind the year 9999 become the nearest between. */
void tg_date_format(int64_t seconds, char room[TG_DATE_LEN + 1]);

/* The present one; made once a second, and the calling thread's. */
const char *tg_date_now(void);

/*
 * Reads the form above and the two obsolete ones, exactly as they are defined.
 * A year of two digits is less than 50 years after `now`.  False: it is no
 * date.
 */
bool tg_date_parse(const char *text, size_t len, int64_t now, int64_t *seconds);

#endif
