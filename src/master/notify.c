// SPDX-License-Identifier: MIT
#include "master/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;
static struct sockaddr_un address;
static socklen_t address_len;
static double watchdog;

static double watchdog_of(const char *microseconds, const char *pid)
{
    if (!microseconds || (pid && atoi(pid) != (int)getpid()))
        return 0;
    return strtod(microseconds, NULL) / 1e6;
}

void tg_notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    watchdog = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    if (!path || !*path || strlen(path) >= sizeof(address.sun_path))
        return;
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, path);
    address_len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (*path == '@') /* of no folder */
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void tg_notify_close(void)
{
    if (manager >= 0)
        close(manager);
    manager = -1;
}

void tg_notify_forget(void)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void tg_notify(const char *format, ...)
{
    char text[512];
    va_list args;
    int len;

    if (manager < 0)
        return;
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if ((size_t)len >= sizeof(text))
        len = sizeof(text) - 1;
    if (sendto(manager, text, (size_t)len, MSG_NOSIGNAL,
               (struct sockaddr *)&address, address_len) < 0) {
        /* a manager that does not listen is its own affair */
    }
}

double tg_notify_watchdog(void)
{
    return watchdog;
}
