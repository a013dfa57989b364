// SPDX-License-Identifier: MIT
#include "base/census.h"

#include <stdatomic.h>

#include "base/log.h"

_Thread_local struct tg_census tg_census;

static atomic_long tasks, exchanges, timers, connections, states;
static atomic_long subscriptions, sockets;

void tg_census_flush(void)
{
    atomic_fetch_add(&tasks, tg_census.tasks);
    atomic_fetch_add(&exchanges, tg_census.exchanges);
    atomic_fetch_add(&timers, tg_census.timers);
    atomic_fetch_add(&connections, tg_census.connections);
    atomic_fetch_add(&states, tg_census.states);
    atomic_fetch_add(&subscriptions, tg_census.subscriptions);
    atomic_fetch_add(&sockets, tg_census.sockets);
    tg_census = (struct tg_census){0};
}

static void log_total(void)
{
    static const char message[] = "stopped";
    struct tg_log_field fields[] = {
        TG_LOG_NUMBER("tasks", atomic_load(&tasks)),
        TG_LOG_NUMBER("exchanges", atomic_load(&exchanges)),
        TG_LOG_NUMBER("timers", atomic_load(&timers)),
        TG_LOG_NUMBER("connections", atomic_load(&connections)),
        TG_LOG_NUMBER("states", atomic_load(&states)),
        TG_LOG_NUMBER("subscriptions", atomic_load(&subscriptions)),
        TG_LOG_NUMBER("sockets", atomic_load(&sockets)),
    };

    tg_log_record(TG_LOG_INFO, message, sizeof(message) - 1, fields,
                  sizeof(fields) / sizeof(*fields));
}

void tg_census_log(void)
{
    tg_census_flush();
    log_total();
}
