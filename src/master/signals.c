// SPDX-License-Identifier: MIT
#include "master/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/signals.h"

enum { NUMBERS = 64 };

static const int own[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD};

static void add_own(sigset_t *set)
{
    size_t i;

    sigemptyset(set);
    for (i = 0; i < sizeof(own) / sizeof(*own); i++)
        sigaddset(set, own[i]);
}

static void do_nothing(int number)
{
    (void)number;
}

/* Who writes hears of it as an error.  A signal that is caught, unlike one that
 * is ignored, is as usual again in the programs that handlers start. */
static void disregard(int number)
{
    struct sigaction action = {.sa_handler = do_nothing,
                               .sa_flags = SA_RESTART};

    sigaction(number, &action, NULL);
}

int tg_signals_open(void)
{
    sigset_t set;

    signal(SIGCHLD, SIG_DFL); /* ignored ones could not be waited for */
    disregard(SIGPIPE);
    disregard(SIGXFSZ); /* a file is too large */
    add_own(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void tg_signals_pass(int fd, uint64_t wanted)
{
    sigset_t set;
    int number;

    add_own(&set);
    for (number = 1; number <= NUMBERS; number++)
        if (wanted & TG_SIGNALS_BIT(number))
            sigaddset(&set, number);
    signalfd(fd, &set, 0);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

int tg_signals_next(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}
