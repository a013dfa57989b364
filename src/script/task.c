// SPDX-License-Identifier: MIT
#include "script/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/census.h"
#include "script/coroutine.h"
#include "script/state.h"

enum {
    SPARE_MOST = 256,
    TUNE_EACH = 1024,
    DEEP = 100 * 1000, /* calls that nobody means */
    CLEANUP_PART = 4   /* of the time budget is for to-be-closed variables */
};

static void release(struct tg_task *task)
{
    struct tg_state *state = task->state;

    tg_list_remove(&task->link);
    state->ntasks--;
    tg_census.tasks--;
    /* an error in a hook leaves its coroutine without hooks for ever */
    if (state->nspare < SPARE_MOST && task->fault != TG_TASK_TIME) {
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

/* What is ours to do has no ceiling, also inside another task's run: out of
 * memory would end the process there.  Returns what to put back. */
static size_t lift_ceiling(struct tg_state *state)
{
    size_t ceiling = state->ceiling;

    state->ceiling = SIZE_MAX;
    return ceiling;
}

static size_t ceiling_in(const struct tg_state *state, size_t bytes,
                         size_t most)
{
    size_t held = state->bytes;

    return bytes < most && held < most - bytes ? held + bytes : most;
}

/* What the state may hold while the task runs. */
static size_t ceiling_of(const struct tg_task *task)
{
    size_t most = task->budget.task_bytes;
    size_t left = task->bytes < most ? most - task->bytes : 0;

    return ceiling_in(task->state, left, task->budget.state_bytes);
}

/* Runs the to-be-closed variables of the task's coroutines, innermost first;
 * they belong to the task, so that they see it as running. */
static void unwind(struct tg_task *task)
{
    struct tg_state *state = task->state;
    struct tg_task *outer = state->running;
    lua_State *before = tg_turn_begin(state->turn, task->co,
                                      task->budget.milliseconds / CLEANUP_PART);

    state->running = task;
    state->ceiling = ceiling_in(state, task->budget.task_bytes / CLEANUP_PART,
                                task->budget.state_bytes);
    tg_coroutine_close_parked(task);
    lua_resetthread(task->co);
    state->ceiling = SIZE_MAX;
    state->running = outer;
    tg_turn_end(state->turn, task->co, before);
}

/* Where the task is: the innermost of its coroutines. */
static lua_State *innermost(const struct tg_task *task)
{
    const struct tg_nest *nest = task->parked;

    while (nest && nest->next)
        nest = nest->next;
    return nest ? nest->co : task->co;
}

/* Endless recursion may meet the limit of memory before that of the stack:
 * then its error has to say what it is. */
static bool is_recursion(struct tg_task *task)
{
    lua_Debug at;

    return task->fault == TG_TASK_MEMORY &&
           lua_getstack(task->co, DEEP, &at) != 0;
}

static void push_overflow(lua_State *L, struct tg_task *task)
{
    lua_Debug at;

    lua_getstack(task->co, 0, &at);
    lua_getinfo(task->co, "Sl", &at);
    lua_pushfstring(L, "%s:%d: stack overflow: no memory for more calls",
                    at.short_src, at.currentline);
    task->fault = TG_TASK_ERROR;
}

static int push_failure(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    int status = (int)lua_tointeger(L, 2);
    const char *message;

    if (status == LUA_YIELD && task->fault == TG_TASK_TIME) {
        tg_turn_push_excess(L);
        return 2;
    }
    lua_settop(L, 1);
    if (status == LUA_YIELD) /* coroutine.yield() where nobody resumes */
        lua_pushliteral(L, "coroutine.yield outside a coroutine");
    else if (is_recursion(task))
        push_overflow(L, task);
    else
        lua_xmove(task->co, L, 1); /* task error */
    if (lua_isstring(L, -1) || luaL_getmetafield(L, -1, "__tostring")) {
        lua_settop(L, 2);
        message = luaL_tolstring(L, -1, NULL); /* task error message */
    } else {
        message = lua_pushfstring(L, "(the error is a %s, not a message)",
                                  luaL_typename(L, -1));
    }
    luaL_traceback(L, innermost(task), message,
                   0); /* task error message trace */
    lua_remove(L, -2);
    return 2;
}

/* Leaves the error and its traceback on the state's stack, whatever it is: a
 * __tostring that raises is itself an error. */
static void take_failure(struct tg_task *task, int status)
{
    lua_State *L = task->state->L;

    lua_pushcfunction(L, push_failure);
    lua_pushlightuserdata(L, task);
    lua_pushinteger(L, status);
    if (lua_pcall(L, 2, 2, 0) != LUA_OK) {
        lua_pushnil(L); /* at worst: no memory for it */
        lua_insert(L, -2);
        if (!lua_isstring(L, -1)) {
            lua_pop(L, 1);
            lua_pushliteral(L, "an error that cannot be shown");
        }
    }
}

/* What builds strings says it as an error of its own, with a line in front. */
static bool is_memory_error(lua_State *co, int status)
{
    static const char words[] = "not enough memory";
    size_t len, n = sizeof(words) - 1;
    const char *text;

    if (status != LUA_ERRRUN || lua_type(co, -1) != LUA_TSTRING)
        return status == LUA_ERRMEM;
    text = lua_tolstring(co, -1, &len);
    return len >= n && memcmp(text + len - n, words, n) == 0;
}

/* Runs the task's coroutine within its budget. */
static int run(struct tg_task *task, int nargs)
{
    struct tg_state *state = task->state;
    struct tg_task *outer = state->running;
    size_t held = state->bytes;
    lua_State *before;
    int status, nresults;

    before = tg_turn_begin(state->turn, task->co, task->budget.milliseconds);
    state->running = task;
    state->ceiling = ceiling_of(task);
    status = lua_resume(task->co, state->L, nargs, &nresults);
    state->ceiling = SIZE_MAX;
    state->running = outer;
    if (state->bytes >= held) /* less: the collector was there */
        task->bytes += state->bytes - held;
    else
        task->bytes -= held - state->bytes < task->bytes ? held - state->bytes
                                                         : task->bytes;
    task->fault = tg_turn_is_overdue(state->turn)     ? TG_TASK_TIME
                  : is_memory_error(task->co, status) ? TG_TASK_MEMORY
                                                      : TG_TASK_ERROR;
    tg_turn_end(state->turn, task->co, before);
    return status;
}

static void fail(struct tg_task *task, int status)
{
    struct tg_state *state = task->state;

    take_failure(task, status);
    unwind(task);
    task->on_end(task, TG_TASK_FAILED, task->arg);
    lua_pop(state->L, 2);
    if (task->fault == TG_TASK_MEMORY)
        lua_gc(state->L, LUA_GCCOLLECT); /* what it took is garbage now */
    release(task);
}

static void resume(struct tg_task *task, int nargs)
{
    struct tg_state *state = task->state;
    size_t ceiling = lift_ceiling(state);
    int status = run(task, nargs);

    task->resumers = NULL;
    if (status == LUA_OK) {
        task->on_end(task, TG_TASK_RETURNED, task->arg);
        release(task);
    } else if (status != LUA_YIELD || !task->wait) {
        fail(task, status);
    }
    state->ceiling = ceiling;
}

struct tg_task *tg_task_new(struct tg_state *state, tg_task_end_fn *on_end,
                            void *arg)
{
    size_t ceiling = lift_ceiling(state);
    struct tg_task *task;

    if (state->nspare) {
        task = tg_list_item(state->spare.prev, struct tg_task, link);
        tg_list_remove(&task->link);
        state->nspare--;
    } else {
        task = tg_alloc(sizeof(*task));
        task->state = state;
        task->co = lua_newthread(state->L);
        tg_coroutine_keep(task->co);
        task->ref = luaL_ref(state->L, LUA_REGISTRYINDEX);
    }
    state->ceiling = ceiling;
    if (state->begun++ % TUNE_EACH == 0)
        tg_state_tune(state);
    task->on_end = on_end;
    task->arg = arg;
    task->wait = NULL;
    task->fault = TG_TASK_ERROR;
    task->budget = state->budget;
    task->bytes = 0;
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

void tg_task_allow(struct tg_task *task, const struct tg_budget *budget)
{
    struct tg_state *state = task->state;

    task->budget = *budget;
    if (state->running != task)
        return;
    tg_turn_allow(state->turn, budget->milliseconds);
    state->ceiling = ceiling_of(task);
}

void tg_task_start(struct tg_task *task, int nargs)
{
    resume(task, nargs);
}

void tg_task_cancel(struct tg_task *task)
{
    struct tg_state *state = task->state;
    struct tg_wait *wait = task->wait;
    size_t ceiling = lift_ceiling(state);

    assert(wait); /* a running task cannot be cancelled from outside */
    task->wait = NULL;
    wait->cancel(wait);
    unwind(task);
    task->on_end(task, TG_TASK_CANCELLED, task->arg);
    release(task);
    state->ceiling = ceiling;
}

void tg_task_trace(struct tg_task *task, lua_State *L, const char *message)
{
    luaL_traceback(L, innermost(task), message, 0);
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
