// SPDX-License-Identifier: MIT
#include "master/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "master/staff.h"

void tg_report_init(struct tg_report *report)
{
    *report = (struct tg_report){.began = tg_clock_now()};
}

void tg_report_release(struct tg_report *report)
{
    int i;

    for (i = 0; i < TG_REPORT_RELOADS; i++)
        free(report->reloads[i]);
}

void tg_report_add_reload(struct tg_report *report, bool ok, const char *text)
{
    char stamp[32];
    int i;

    free(report->reloads[TG_REPORT_RELOADS - 1]);
    for (i = TG_REPORT_RELOADS - 1; i > 0; i--)
        report->reloads[i] = report->reloads[i - 1];
    tg_clock_stamp(stamp, sizeof(stamp));
    report->reloads[0] =
        tg_strf("%s %s%.*s", stamp,
                ok ? "" : "refused: ", (int)strcspn(text, "\n"), text);
}

static void write_text(const struct tg_report *report,
                       const struct tg_staff *staff, struct tg_text *out)
{
    double seconds = 0;
    int i, pid = tg_staff_pid(staff, &seconds);

    tg_text_addf(out,
                 "process %d, up %.0f s; worker %d, up %.0f s; restarts: %d\n",
                 (int)getpid(), tg_clock_now() - report->began, pid, seconds,
                 staff->restarts);
    if (staff->last_death)
        tg_text_addf(out, "last death: %s\n", staff->last_death);
    for (i = 0; i < TG_REPORT_RELOADS && report->reloads[i]; i++)
        tg_text_addf(out, "reload: %s\n", report->reloads[i]);
}

static void write_json(const struct tg_report *report,
                       const struct tg_staff *staff, struct tg_text *out)
{
    double seconds = 0;
    int i, pid = tg_staff_pid(staff, &seconds);

    tg_text_addf(out,
                 "{\"process\":%d,\"seconds\":%.3f,\"worker\":%d,"
                 "\"worker_seconds\":%.3f,\"restarts\":%d,\"last_death\":",
                 (int)getpid(), tg_clock_now() - report->began, pid, seconds,
                 staff->restarts);
    if (staff->last_death)
        tg_text_add_quoted(out, staff->last_death, strlen(staff->last_death));
    else
        tg_text_adds(out, "null");
    tg_text_adds(out, ",\"reloads\":[");
    for (i = 0; i < TG_REPORT_RELOADS && report->reloads[i]; i++) {
        tg_text_adds(out, i ? "," : "");
        tg_text_add_quoted(out, report->reloads[i], strlen(report->reloads[i]));
    }
    tg_text_adds(out, "],");
}

void tg_report_write(const struct tg_report *report,
                     const struct tg_staff *staff, bool as_json,
                     struct tg_text *out)
{
    (as_json ? write_json : write_text)(report, staff, out);
}
