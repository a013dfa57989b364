// SPDX-License-Identifier: MIT
/*
 * Tasks that go on in their turn: new children, those that were woken while
 * another one ran, those that gave way, and those that are to be cancelled.
 */
#include "script/task.h"

void tg_task_make_ready(struct tg_task *task)
{
    struct tg_state *state = task->state;
    bool first = tg_list_empty(&state->ready);

    if (!tg_list_empty(&task->ready))
        return;
    tg_list_append(&state->ready, &task->ready);
    if (first)
        state->on_ready(state);
}

void tg_task_begin(struct tg_task *task, int nargs)
{
    task->nargs = nargs;
    tg_task_make_ready(task);
}

void tg_task_doom(struct tg_task *task)
{
    task->doomed = true;
    tg_task_make_ready(task);
}

bool tg_task_give_way(lua_State *L, unsigned milliseconds)
{
    struct tg_task *task = tg_state_of(L)->running;

    if (!task || task->co != L || task->unwinding || !lua_isyieldable(L))
        return false;
    task->used += milliseconds;
    task->sliced = true;
    task->wait = &task->turn;
    tg_task_make_ready(task);
    return true;
}

static void go_on(struct tg_task *task)
{
    int nargs = task->nargs;

    tg_list_remove(&task->ready);
    if (task->doomed) {
        tg_task_cancel(task);
        return;
    }
    task->nargs = 0;
    task->wait = NULL;
    tg_task_resume(task, nargs);
}

/* Of those that gave way only one goes on: each may take a slice, and between
 * them is the loop's turn. */
bool tg_task_run_ready(struct tg_state *state)
{
    struct tg_list now;
    bool sliced = false;

    tg_list_init(&now);
    while (!tg_list_empty(&state->ready)) {
        struct tg_list *link = state->ready.next;

        tg_list_remove(link);
        tg_list_append(&now, link);
    }
    while (!tg_list_empty(&now)) {
        struct tg_task *task = tg_list_item(now.next, struct tg_task, ready);

        if (task->sliced && sliced) {
            tg_list_remove(&task->ready);
            tg_task_make_ready(task);
            continue;
        }
        sliced = sliced || task->sliced;
        go_on(task);
    }
    return tg_list_empty(&state->ready);
}
