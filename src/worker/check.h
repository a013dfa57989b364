// SPDX-License-Identifier: MIT
/*
 * A project on trial: loaded as a reload would, and nothing started.
 */
#ifndef TG_WORKER_CHECK_H
#define TG_WORKER_CHECK_H

#include <stdbool.h>

struct tg_settings;
struct tg_text;

/* True: `out` gets the table of routes.  False: every error, one a line. */
bool tg_check_project(const struct tg_settings *settings, bool as_json,
                      struct tg_text *out);

#endif
