// SPDX-License-Identifier: MIT
/* The threads that a process cannot be without. */
#ifndef TG_WORKER_SPAWN_H
#define TG_WORKER_SPAWN_H

#include <pthread.h>

/* Starts one; where the system has none left, says so and ends the process. */
void tg_spawn(pthread_t *handle, void *(*run)(void *arg), void *arg);

#endif
