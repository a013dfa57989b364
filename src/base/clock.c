// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double tg_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *tg_clock_date(void)
{
    static _Thread_local char date[TG_CLOCK_DATE_LEN + 1];
    static _Thread_local time_t made;
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != made) {
        made = now.tv_sec;
        gmtime_r(&made, &tm);
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return date;
}

void tg_clock_stamp(char *room, size_t size)
{
    struct timespec now;
    struct tm tm;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    len = strftime(room, size, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(room + len, size - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
}
