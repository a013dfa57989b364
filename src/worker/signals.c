// SPDX-License-Identifier: MIT
#include "worker/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/signals.h"

enum { NUMBERS = 64 };

/* Of the process, as signals are. */
static _Atomic uint64_t caught;
static int event_fd = -1;
static uint64_t held;
static struct sigaction before[NUMBERS + 1];

static void on_signal(int number)
{
    const uint64_t one = 1;
    int error = errno;

    atomic_fetch_or(&caught, TG_SIGNALS_BIT(number));
    if (write(event_fd, &one, sizeof(one)) < 0) {
        /* it is readable already */
    }
    errno = error;
}

int tg_signals_fd(void)
{
    if (event_fd < 0)
        event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return event_fd;
}

/* One thread that does not block it is enough for the process to have it. */
static void hold(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t set;

    sigfillset(&action.sa_mask);
    sigaction(number, &action, &before[number]);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void tg_signals_catch(uint64_t wanted)
{
    int number;

    for (number = 1; number <= NUMBERS; number++) {
        uint64_t bit = TG_SIGNALS_BIT(number);

        if ((wanted & bit) && !(held & bit))
            hold(number);
        else if (!(wanted & bit) && (held & bit))
            sigaction(number, &before[number], NULL);
    }
    held = wanted;
}

uint64_t tg_signals_take(void)
{
    uint64_t count;

    if (read(event_fd, &count, sizeof(count)) < 0) {
        /* taken already */
    }
    return atomic_exchange(&caught, 0);
}
