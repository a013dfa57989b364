// SPDX-License-Identifier: MIT
#include "master/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/link.h"
#include "master/inherited.h"

#define VARIABLE "TIDEGATE_HANDOVER"

enum { PATIENCE = 5000 }; /* milliseconds for the other's next word */

void tg_handover_init(struct tg_handover *handover, char **arguments)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    *handover = (struct tg_handover){.arguments = arguments, .link = -1};
    handover->program =
        len > 0 ? tg_strndup(path, (size_t)len) : tg_strdup(arguments[0]);
}

static void hang_up(struct tg_handover *handover)
{
    if (handover->link >= 0)
        close(handover->link);
    handover->link = -1;
    handover->pid = 0;
}

void tg_handover_release(struct tg_handover *handover)
{
    hang_up(handover);
    free(handover->program);
}

static void become(const struct tg_handover *handover, int end)
{
    char number[16];
    sigset_t none;

    snprintf(number, sizeof(number), "%d", end);
    setenv(VARIABLE, number, 1);
    unsetenv("WATCHDOG_PID"); /* what is awaited of this one, is of that */
    fcntl(end, F_SETFD, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(handover->program, handover->arguments);
    fprintf(stderr, "tidegate: cannot start %s: %s\n", handover->program,
            strerror(errno));
    _exit(1);
}

char *tg_handover_begin(struct tg_handover *handover, double seconds)
{
    int ends[2];

    if (!tg_link_open(ends))
        return tg_strf("cannot start the new program: %s", strerror(errno));
    handover->pid = fork();
    if (handover->pid == 0)
        become(handover, ends[1]);
    close(ends[1]);
    if (handover->pid < 0) {
        close(ends[0]);
        handover->pid = 0;
        return tg_strf("cannot start the new program: %s", strerror(errno));
    }
    handover->link = ends[0];
    handover->deadline = tg_clock_now() + seconds;
    return NULL;
}

void tg_handover_give(struct tg_handover *handover, int fd, const char *address,
                      bool is_lent)
{
    struct pollfd room = {handover->link, POLLOUT, 0};

    poll(&room, 1, PATIENCE); /* it reads them one by one */
    tg_link_send(handover->link, fd, "%s %s", is_lent ? "lent" : "socket",
                 address);
}

void tg_handover_go(struct tg_handover *handover)
{
    struct pollfd room = {handover->link, POLLOUT, 0};

    poll(&room, 1, PATIENCE);
    tg_link_send(handover->link, -1, "go");
}

void tg_handover_give_up(struct tg_handover *handover)
{
    if (handover->pid)
        kill(handover->pid, SIGKILL);
    if (handover->pid)
        waitpid(handover->pid, NULL, 0);
    hang_up(handover);
}

/* False: the other one has gone, or keeps silent. */
static bool await(int link, struct tg_link_message *message)
{
    struct pollfd word = {link, POLLIN, 0};

    return poll(&word, 1, PATIENCE) > 0 &&
           tg_link_receive(link, message) == TG_LINK_MESSAGE;
}

int tg_handover_receive(struct tg_inherited *inherited)
{
    const char *number = getenv(VARIABLE), *address;
    struct tg_link_message message;
    int link = number ? atoi(number) : -1;

    unsetenv(VARIABLE);
    if (link < 0)
        return -1;
    fcntl(link, F_SETFD, FD_CLOEXEC);
    while (await(link, &message) && !tg_link_is(&message, "go")) {
        bool is_lent = tg_link_is(&message, "lent");

        address = tg_link_is(&message, is_lent ? "lent" : "socket");
        if (address && message.fd >= 0)
            tg_inherited_add(inherited, message.fd, address, is_lent);
    }
    return link;
}

void tg_handover_take(int link)
{
    struct tg_link_message message;

    tg_link_send(link, -1, "ready");
    await(link, &message);
    close(link);
}
