// SPDX-License-Identifier: MIT
/*
 * The process that serves: its threads, its loader, its signals and its
 * control socket.
 */
#ifndef TG_WORKER_WORKER_H
#define TG_WORKER_WORKER_H

struct tg_settings;

/* Serves until it is told to stop; returns the exit code. */
int tg_worker_run(const struct tg_settings *settings);

#endif
