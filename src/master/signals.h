// SPDX-License-Identifier: MIT
/*
 * The signals that the master takes from a descriptor: its own, and those that
 * handlers ask for, which are passed on to the worker.  All others do what they
 * do to any program.
 */
#ifndef TG_MASTER_SIGNALS_H
#define TG_MASTER_SIGNALS_H

#include <stdint.h>

/* Blocks the master's own; workers inherit that, so that nothing which comes
 * before they listen is lost.  A descriptor to be closed. */
int tg_signals_open(void);

/* From now on takes these, too (TG_SIGNALS_BIT of each), and no longer those it
 * was told of before. */
void tg_signals_pass(int fd, uint64_t wanted);

/* The next one, or 0. */
int tg_signals_next(int fd);

#endif
