// SPDX-License-Identifier: MIT
#include "script/task.h"

#include <assert.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/census.h"
#include "script/coroutine.h"
#include "script/state.h"

enum { SPARE_MOST = 256, TUNE_EACH = 1024 };

static void release(struct tg_task *task)
{
    struct tg_state *state = task->state;

    tg_list_remove(&task->link);
    state->ntasks--;
    tg_census.tasks--;
    if (state->nspare < SPARE_MOST) {
        lua_settop(task->co, 0);
        tg_list_append(&state->spare, &task->link);
        state->nspare++;
    } else {
        luaL_unref(state->L, LUA_REGISTRYINDEX, task->ref);
        free(task);
    }
}

void tg_task_free_spare(struct tg_state *state)
{
    while (!tg_list_empty(&state->spare)) {
        struct tg_task *task =
            tg_list_item(state->spare.next, struct tg_task, link);

        tg_list_remove(&task->link);
        free(task);
    }
    state->nspare = 0;
}

/* Runs the to-be-closed variables of the task's coroutines, innermost first;
 * they belong to the task, so that they see it as running. */
static void unwind(struct tg_task *task)
{
    struct tg_task *outer = task->state->running;

    task->state->running = task;
    tg_coroutine_close_parked(task);
    lua_resetthread(task->co);
    task->state->running = outer;
}

static int push_failure(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    const char *message;

    lua_xmove(task->co, L, 1); /* task error */
    if (lua_isstring(L, -1) || luaL_getmetafield(L, -1, "__tostring")) {
        lua_settop(L, 2);
        message = luaL_tolstring(L, -1, NULL); /* task error message */
    } else {
        message = lua_pushfstring(L, "(the error is a %s, not a message)",
                                  luaL_typename(L, -1));
    }
    luaL_traceback(L, task->co, message, 0); /* task error message trace */
    lua_remove(L, -2);
    return 2;
}

/* Leaves the error and its traceback on the state's stack, whatever it is: a
 * __tostring that raises is itself an error. */
static void take_failure(struct tg_task *task)
{
    lua_State *L = task->state->L;

    lua_pushcfunction(L, push_failure);
    lua_pushlightuserdata(L, task);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
        lua_pushnil(L); /* at worst: no memory for it */
        lua_insert(L, -2);
        if (!lua_isstring(L, -1)) {
            lua_pop(L, 1);
            lua_pushliteral(L, "an error that cannot be shown");
        }
    }
}

static void resume(struct tg_task *task, int nargs)
{
    struct tg_state *state = task->state;
    struct tg_task *outer = state->running;
    int status, nresults;

    state->running = task;
    status = lua_resume(task->co, state->L, nargs, &nresults);
    state->running = outer;
    task->resumers = NULL;
    if (status == LUA_YIELD && task->wait)
        return;
    if (status == LUA_OK) {
        task->on_end(task, TG_TASK_RETURNED, task->arg);
        release(task);
        return;
    }
    if (status == LUA_YIELD) /* coroutine.yield() where nobody resumes */
        lua_pushliteral(task->co, "coroutine.yield outside a coroutine");
    take_failure(task);
    unwind(task);
    task->on_end(task, TG_TASK_FAILED, task->arg);
    lua_pop(state->L, 2);
    release(task);
}

struct tg_task *tg_task_new(struct tg_state *state, tg_task_end_fn *on_end,
                            void *arg)
{
    struct tg_task *task;

    if (state->nspare) {
        task = tg_list_item(state->spare.prev, struct tg_task, link);
        tg_list_remove(&task->link);
        state->nspare--;
    } else {
        task = tg_alloc(sizeof(*task));
        task->state = state;
        task->co = lua_newthread(state->L);
        tg_coroutine_keep(state->L, task->co);
        task->ref = luaL_ref(state->L, LUA_REGISTRYINDEX);
    }
    if (state->begun++ % TUNE_EACH == 0)
        tg_state_tune(state);
    task->on_end = on_end;
    task->arg = arg;
    task->wait = NULL;
    tg_list_append(&state->tasks, &task->link);
    state->ntasks++;
    tg_census.tasks++;
    return task;
}

lua_State *tg_task_stack(struct tg_task *task)
{
    return task->co;
}

void *tg_task_arg(struct tg_task *task)
{
    return task->arg;
}

void tg_task_start(struct tg_task *task, int nargs)
{
    resume(task, nargs);
}

void tg_task_cancel(struct tg_task *task)
{
    struct tg_wait *wait = task->wait;

    assert(wait); /* a running task cannot be cancelled from outside */
    task->wait = NULL;
    wait->cancel(wait);
    unwind(task);
    task->on_end(task, TG_TASK_CANCELLED, task->arg);
    release(task);
}

void tg_task_trace(struct tg_task *task, lua_State *L, const char *message)
{
    struct tg_nest *nest = task->parked;

    while (nest && nest->next)
        nest = nest->next;
    luaL_traceback(L, nest ? nest->co : task->co, message, 0);
}

static struct tg_task *find_parked(struct tg_state *state)
{
    struct tg_list *link;

    for (link = state->tasks.next; link != &state->tasks; link = link->next) {
        struct tg_task *task = tg_list_item(link, struct tg_task, link);

        if (task->wait)
            return task;
    }
    return NULL;
}

void tg_task_cancel_all(struct tg_state *state)
{
    struct tg_task *task;

    while ((task = find_parked(state))) /* one may wake or end another */
        tg_task_cancel(task);
}

void tg_wait_check(lua_State *L)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_nest *nest;
    bool may = task && lua_isyieldable(L);

    for (nest = task ? task->resumers : NULL; nest; nest = nest->next)
        may = may && lua_isyieldable(nest->co);
    if (!task)
        luaL_error(L, "cannot wait here: not in a handler, timer or on_start");
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
    wait->task->wait = NULL;
    resume(wait->task, 0);
}
