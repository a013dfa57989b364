// SPDX-License-Identifier: MIT
/*
 * A project on trial: loaded as a reload would, and nothing started.
 */
#ifndef TG_WORKER_CHECK_H
#define TG_WORKER_CHECK_H

#include <stdbool.h>

struct tg_settings;
struct tg_text;

enum tg_check {
    TG_CHECK_FAILED, /* `out` gets every error, one a line */
    TG_CHECK_EMPTY,  /* nothing is wrong, but nothing is served either */
    TG_CHECK_SERVES,
};

/* Unless it failed, `out` gets the table of routes. */
enum tg_check tg_check_project(const struct tg_settings *settings, bool as_json,
                               struct tg_text *out);

#endif
