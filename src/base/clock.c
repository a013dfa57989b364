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
