// SPDX-License-Identifier: MIT
#include "worker/spawn.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void tg_spawn(pthread_t *handle, void *(*run)(void *arg), void *arg)
{
    int error = pthread_create(handle, NULL, run, arg);

    if (!error)
        return;
    fprintf(stderr, "tidegate: cannot start a thread: %s\n", strerror(error));
    _exit(1);
}
