// SPDX-License-Identifier: MIT
#include "master/orphans.h"

#include <sys/wait.h>

void tg_orphans_bury(bool (*is_ours)(pid_t pid, const void *arg),
                     const void *arg)
{
    siginfo_t ended = {0};

    /* only looks; one of ours is the first to be seen until it was waited for,
     * and then its signal makes us look again */
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid && !is_ours(ended.si_pid, arg)) {
        waitpid(ended.si_pid, NULL, 0);
        ended.si_pid = 0;
    }
}
