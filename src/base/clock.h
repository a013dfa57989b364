// SPDX-License-Identifier: MIT
/* What time it is. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <stddef.h>

/* Seconds since some moment; never goes back. */
double tg_clock_now(void);

/* Seconds since 1970; goes where the machine's clock is set. */
double tg_clock_wall(void);

/* The same as tg_clock_now(), some milliseconds behind, for a fraction of the
 * price. */
double tg_clock_coarse(void);

/* Writes "2026-11-23T08:42:43.123Z"; `room` holds at least 32 bytes. */
void tg_clock_stamp(char *room, size_t size);

#endif
