// SPDX-License-Identifier: MIT
/*
 * The doors: the listening sockets of all addresses.
 */
#ifndef TG_MASTER_DOORS_H
#define TG_MASTER_DOORS_H

#include <stdbool.h>

#include "base/settings.h"
#include "master/sockets.h"
#include "worker/worker.h"

struct tg_inherited;

struct tg_doors {
    struct tg_sockets sockets[TG_SETTINGS_LISTEN_MOST]; /* of each address */
    int count;
};

/* Binds the addresses of the settings, or takes what is inherited of them.
 * Inherited sockets say where to listen, if nobody else does: then the settings
 * get their addresses.  NULL, or one sentence, to be freed. */
char *tg_doors_open(struct tg_doors *doors, struct tg_settings *settings,
                    struct tg_inherited *inherited);

/* Shows a worker where to serve; returns how many addresses there are. */
int tg_doors_show(const struct tg_doors *doors, struct tg_listening *listeners);

/* Closes them; the paths of unix sockets stay if they are left to others. */
void tg_doors_close(struct tg_doors *doors, bool are_left);

#endif
