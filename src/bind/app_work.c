// SPDX-License-Identifier: MIT
/* What an app is busy with, for whoever asks what holds it. */
#include <stdio.h>

#include "base/clock.h"
#include "bind/app.h"
#include "http/exchange.h"
#include "script/state.h"
#include "script/task.h"

static void describe(struct tg_task *task, struct tg_app_work *work)
{
    struct tg_exchange *x = tg_app_exchange_of(task);
    const struct tg_head *head;

    work->seconds = tg_clock_coarse() - task->since;
    tg_task_where(task, work->where, sizeof(work->where));
    if (!x) {
        snprintf(work->what, sizeof(work->what), "%s",
                 task->parent ? "a task" : tg_app_own_task(task));
        return;
    }
    head = tg_exchange_head(x);
    snprintf(work->what, sizeof(work->what), "%s%.*s",
             task->parent ? "a task of " : "",
             (int)(head->target.at + head->target.len - head->method.at),
             tg_exchange_bytes(x) + head->method.at);
}

int tg_app_works(const struct tg_app *app, struct tg_app_work *works, int most)
{
    const struct tg_list *tasks = &app->state->tasks, *link;
    int count = 0;

    for (link = tasks->next; link != tasks; link = link->next, count++)
        if (count < most)
            describe(tg_list_item(link, struct tg_task, link), &works[count]);
    return count;
}

int tg_app_timers(const struct tg_app *app)
{
    const struct tg_list *link;
    int count = 0;

    for (link = app->alarms.next; link != &app->alarms; link = link->next)
        count++;
    return count;
}

size_t tg_app_bytes(const struct tg_app *app)
{
    return app->state->bytes;
}
