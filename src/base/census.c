// SPDX-License-Identifier: MIT
#include "base/census.h"

#include <stdatomic.h>

_Thread_local struct tg_census tg_census;

static atomic_long tasks, exchanges, timers, connections, states, sockets;

void tg_census_flush(void)
{
    atomic_fetch_add(&tasks, tg_census.tasks);
    atomic_fetch_add(&exchanges, tg_census.exchanges);
    atomic_fetch_add(&timers, tg_census.timers);
    atomic_fetch_add(&connections, tg_census.connections);
    atomic_fetch_add(&states, tg_census.states);
    atomic_fetch_add(&sockets, tg_census.sockets);
    tg_census = (struct tg_census){0};
}

struct tg_census tg_census_total(void)
{
    return (struct tg_census){
        .tasks = atomic_load(&tasks),
        .exchanges = atomic_load(&exchanges),
        .timers = atomic_load(&timers),
        .connections = atomic_load(&connections),
        .states = atomic_load(&states),
        .sockets = atomic_load(&sockets),
    };
}
