// SPDX-License-Identifier: MIT
/*
 * The signals that the serving generation asks for.
 *
 * Such a signal is caught, whichever thread the kernel picks for it: its bit
 * is set, and a descriptor becomes readable.  What comes again before that is
 * read is the same as one.  A signal that nobody asks for has the action that
 * it had when the process began.
 */
#ifndef TG_WORKER_SIGNALS_H
#define TG_WORKER_SIGNALS_H

#include <stdint.h>

/* Readable when something was caught; made by the first call, never closed,
 * since a signal may come at any time. */
int tg_signals_fd(void);

/* Catches these, and no others from here on; on the loader's thread. */
void tg_signals_catch(uint64_t wanted);

/* Those that were caught since the last call. */
uint64_t tg_signals_take(void);

#endif
