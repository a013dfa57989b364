// SPDX-License-Identifier: MIT
/*
 * The process that serves: its threads, its loader, its signals and its
 * control socket.
 */
#ifndef TG_WORKER_WORKER_H
#define TG_WORKER_WORKER_H

#include <stdbool.h>

struct tg_settings;
struct tg_text;

/* Serves until it is told to stop; returns the exit code. */
int tg_worker_run(const struct tg_settings *settings);

/* Loads everything as a reload would and starts nothing.  True: `out` gets the
 * table of routes.  False: every error, one a line. */
bool tg_worker_check(const struct tg_settings *settings, bool as_json,
                     struct tg_text *out);

#endif
