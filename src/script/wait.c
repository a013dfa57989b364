// SPDX-License-Identifier: MIT
#include "script/wait.h"

#include <lauxlib.h>

#include "script/task.h"

void tg_wait_check(lua_State *L)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_nest *nest;
    bool may = task && lua_isyieldable(L);

    for (nest = task ? task->resumers : NULL; nest; nest = nest->next)
        may = may && lua_isyieldable(nest->co);
    if (!task)
        luaL_error(L, "cannot wait here: not in a handler, timer or on_start");
    if (task->unwinding)
        luaL_error(L, "cannot wait here: the task has been cancelled, or has "
                      "failed");
    if (!may)
        luaL_error(L, "cannot wait here: inside a call that cannot be "
                      "continued (such as a gsub or sort callback)");
}

int tg_wait_park(lua_State *L, struct tg_wait *wait, lua_KFunction next,
                 lua_KContext context)
{
    wait->task = tg_state_of(L)->running;
    wait->task->wait = wait;
    return lua_yieldk(L, 0, context, next);
}

void tg_wait_wake(struct tg_wait *wait)
{
    struct tg_task *task = wait->task;

    if (task->doomed || task->state->running) {
        task->wait = &task->turn;
        tg_task_make_ready(task);
        return;
    }
    tg_list_remove(&task->ready);
    task->wait = NULL;
    tg_task_resume(task, 0);
}

void tg_wait_ready(struct tg_wait *wait)
{
    tg_task_make_ready(wait->task);
}
