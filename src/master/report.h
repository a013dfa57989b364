// SPDX-License-Identifier: MIT
/*
 * What the master knows of the gateway, for callers who ask for its status: how
 * long it runs, who serves, which reloads there were.
 */
#ifndef TG_MASTER_REPORT_H
#define TG_MASTER_REPORT_H

#include <stdbool.h>

struct tg_staff;
struct tg_text;

enum { TG_REPORT_RELOADS = 5 };

struct tg_report {
    double began;
    char *reloads[TG_REPORT_RELOADS]; /* the newest first; or NULL */
};

void tg_report_init(struct tg_report *report);
void tg_report_release(struct tg_report *report);

/* Keeps what a reload has come to. */
void tg_report_add_reload(struct tg_report *report, bool ok, const char *text);

/* Adds the beginning of a status, which the worker completes. */
void tg_report_write(const struct tg_report *report,
                     const struct tg_staff *staff, bool as_json,
                     struct tg_text *out);

#endif
