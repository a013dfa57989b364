// SPDX-License-Identifier: MIT
/*
 * The process that stays: it binds the sockets, has workers serve on them, and
 * hears signals and the control socket.
 */
#ifndef TG_MASTER_MASTER_H
#define TG_MASTER_MASTER_H

struct tg_settings;

/* Runs until it is told to stop; returns the exit code.  `arguments` are the
 * program's, for the day it is replaced by a newer one; where nobody has said
 * where to listen, a service manager may. */
int tg_master_run(struct tg_settings *settings, char **arguments);

#endif
