// SPDX-License-Identifier: MIT
#include "base/signals.h"

#include <ctype.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int number;
    const char *why;
} taken[] = {
    {SIGHUP, "reloads the gateway"},
    {SIGTERM, "stops the gateway"},
    {SIGINT, "stops the gateway"},
    {SIGUSR1, "opens the gateway's logs again"},
    {SIGUSR2, "is the gateway's own"},
    {SIGCHLD, "tells the gateway of its processes"},
    {SIGURG, "ends handlers that run for too long"},
    {SIGPIPE, "is ignored, since clients may leave"},
    {SIGXFSZ, "is ignored, since a file that is too large is an error"},
    {SIGSEGV, "says that the process is broken"},
    {SIGBUS, "says that the process is broken"},
    {SIGFPE, "says that the process is broken"},
    {SIGILL, "says that the process is broken"},
    {SIGABRT, "says that the process is broken"},
    {SIGTRAP, "says that the process is broken"},
    {SIGSYS, "says that the process is broken"},
    {SIGKILL, "cannot be caught"},
    {SIGSTOP, "cannot be caught"},
};

/* The number that "RTMIN+1" or the like stands for, or 0. */
static int find_real_time(const char *name, const char *word, int base,
                          char sign)
{
    const char *rest = name + strlen(word);
    long offset;
    char *end;

    if (*rest == '\0')
        return base;
    if (*rest != sign || !isdigit((unsigned char)rest[1]))
        return 0;
    offset = strtol(rest + 1, &end, 10);
    if (*end || offset > SIGRTMAX - SIGRTMIN)
        return 0;
    return sign == '+' ? base + (int)offset : base - (int)offset;
}

int tg_signals_find(const char *name)
{
    int number;

    if (strncmp(name, "RTMIN", 5) == 0)
        return find_real_time(name, "RTMIN", SIGRTMIN, '+');
    if (strncmp(name, "RTMAX", 5) == 0)
        return find_real_time(name, "RTMAX", SIGRTMAX, '-');
    for (number = 1; number < SIGRTMIN; number++) {
        const char *word = sigabbrev_np(number);

        if (word && strcmp(word, name) == 0)
            return number;
    }
    return 0;
}

const char *tg_signals_taken(int number)
{
    size_t i;

    for (i = 0; i < sizeof(taken) / sizeof(*taken); i++)
        if (taken[i].number == number)
            return taken[i].why;
    return NULL;
}
