// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double tg_clock_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double tg_clock_wall(void)
{
    return seconds_of(CLOCK_REALTIME);
}

double tg_clock_coarse(void)
{
    return seconds_of(CLOCK_MONOTONIC_COARSE);
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
