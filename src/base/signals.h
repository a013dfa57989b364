// SPDX-License-Identifier: MIT
/*
 * Signals by name: "WINCH", "RTMIN+1".  Numbers are below 65, so that a set of
 * them is one word.
 */
#ifndef TG_BASE_SIGNALS_H
#define TG_BASE_SIGNALS_H

#include <stdint.h>

#define TG_SIGNALS_BIT(number) ((uint64_t)1 << ((number)-1))

/* The number of that name, or 0. */
int tg_signals_find(const char *name);

/* Why handlers cannot have it, to stand behind its name; NULL: they can. */
const char *tg_signals_taken(int number);

#endif
