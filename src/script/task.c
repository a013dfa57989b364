// SPDX-License-Identifier: MIT
#include "script/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/log.h"
#include "script/coroutine.h"
#include "script/failure.h"
#include "script/state.h"

enum {
    SPARE_MOST = 256,
    TUNE_EACH = 1024,
    DEPTH_MOST = 100, /* of children of children */
    CLEANUP_PART = 4  /* of the time budget is for to-be-closed variables */
};

static void release(struct tg_task *task)
{
    struct tg_state *state = task->state;

    tg_list_remove(&task->link);
    tg_list_remove(&task->ready);
    tg_list_remove(&task->sibling);
    if (task->cause != LUA_NOREF)
        tg_failure_drop_cause(task);
    state->ntasks--;
    tg_census.tasks--;
    /* an error in a hook leaves its coroutine without hooks for ever, and a
     * cut inside an xpcall() leaves it that one's handler for all errors */
    if (state->nspare < SPARE_MOST && task->fault != TG_TASK_TIME &&
        !task->was_cut) {
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

/* What the state may hold while the task runs. */
static size_t ceiling_of(struct tg_task *task)
{
    size_t most = task->budget.task_bytes;
    size_t held = tg_task_root(task)->bytes;

    return tg_state_ceiling(task->state, held < most ? most - held : 0,
                            task->budget.state_bytes);
}

/* Its family has added so much to the state, or less. */
static void charge(struct tg_task *task, size_t before)
{
    struct tg_task *root = tg_task_root(task);
    size_t now = task->state->bytes;

    if (now >= before) /* less: the collector was there */
        root->bytes += now - before;
    else
        root->bytes -= before - now < root->bytes ? before - now : root->bytes;
}

/* --- its end --- */

static void log_fault(lua_State *co)
{
    tg_log(TG_LOG_ERROR, "while it was cancelled: %s",
           lua_type(co, -1) == LUA_TSTRING ? lua_tostring(co, -1)
                                           : "an error that is no message");
}

static void close_coroutines(struct tg_task *task)
{
    bool parked = lua_status(task->co) == LUA_YIELD;

    task->was_cut = parked;
    tg_coroutine_close_parked(task, true);
    if (tg_coroutine_reset(task->co) != LUA_OK && parked)
        log_fault(task->co);
}

/* Runs the to-be-closed variables of the task's coroutines, innermost first;
 * they belong to the task, so that they see it as running.  A family has one
 * time for all of them: those for which none is left are not run. */
static void unwind(struct tg_task *task)
{
    struct tg_state *state = task->state;
    struct tg_task *root = tg_task_root(task), *outer = state->running;
    unsigned most = task->budget.milliseconds / CLEANUP_PART + 1;
    lua_State *before;
    double began;

    if (root->cleanup >= most) {
        tg_coroutine_close_parked(task, false);
        task->fault = TG_TASK_TIME; /* its coroutine is not used again */
        return;
    }
    began = tg_clock_now();
    before = tg_turn_begin(state->turn, task->co, most - root->cleanup);
    state->running = task;
    state->ceiling =
        tg_state_ceiling(state, task->budget.task_bytes / CLEANUP_PART,
                         task->budget.state_bytes);
    task->unwinding = true;
    close_coroutines(task);
    task->unwinding = false;
    state->ceiling = SIZE_MAX;
    state->running = outer;
    tg_turn_end(state->turn, task->co, before);
    root->cleanup += (unsigned)((tg_clock_now() - began) * 1000);
}

static void run_defers(struct tg_task *task)
{
    while (!tg_list_empty(&task->defers)) {
        struct tg_defer *defer =
            tg_list_item(task->defers.next, struct tg_defer, link);

        tg_list_remove(&defer->link);
        defer->run(defer);
    }
}

static void cancel_family(struct tg_task *task);

static void cancel_children(struct tg_task *task)
{
    while (!tg_list_empty(&task->children))
        cancel_family(
            tg_list_item(task->children.next, struct tg_task, sibling));
}

/* Tells whoever has to know; then the task is gone. */
static void end(struct tg_task *task, enum tg_task_end how)
{
    cancel_children(task);
    run_defers(task);
    task->on_end(task, how, task->arg);
}

/* Children first, and again those that the unwinding has made: these have not
 * begun.  No deeper than DEPTH_MOST. */
static void cancel_family(struct tg_task *task)
{
    struct tg_wait *wait = task->wait;

    assert(wait); /* a running task cannot be cancelled from outside */
    task->wait = NULL;
    wait->cancel(wait);
    cancel_children(task);
    unwind(task);
    end(task, TG_TASK_CANCELLED);
    release(task);
}

void tg_task_cancel(struct tg_task *task)
{
    struct tg_state *state = task->state;
    size_t ceiling = lift_ceiling(state);

    cancel_family(task);
    state->ceiling = ceiling;
}

/* --- running it --- */

/* What its slices since its last wait have left of its time. */
static unsigned time_left(struct tg_task *task)
{
    unsigned most = task->budget.milliseconds;

    if (!task->sliced)
        task->used = 0;
    task->sliced = false;
    return task->used < most ? most - task->used : 1;
}

static enum tg_task_fault fault_of(const struct tg_task *task, int status)
{
    const struct tg_turn *turn = task->state->turn;

    if (status == LUA_YIELD && tg_turn_is_cut(turn))
        return TG_TASK_TIME;
    if (status != LUA_YIELD && tg_turn_is_overdue(turn))
        return TG_TASK_TIME;
    return tg_failure_is_memory(task->co, status) ? TG_TASK_MEMORY
                                                  : TG_TASK_ERROR;
}

/* Runs the task's coroutine within its budget. */
static int run(struct tg_task *task, int nargs)
{
    struct tg_state *state = task->state;
    struct tg_task *outer = state->running;
    size_t held = state->bytes;
    lua_State *before;
    int status, nresults;

    if (state->on_run)
        state->on_run(state, task);
    before = tg_turn_begin(state->turn, task->co, time_left(task));
    tg_turn_slice(state->turn, task->co, task->used);
    state->running = task;
    state->ceiling = ceiling_of(task);
    status = lua_resume(task->co, state->L, nargs, &nresults);
    state->ceiling = SIZE_MAX;
    state->running = outer;
    tg_turn_slice(state->turn, NULL, 0);
    charge(task, held);
    task->fault = fault_of(task, status);
    tg_turn_end(state->turn, task->co, before);
    if (state->on_run)
        state->on_run(state, NULL);
    return status;
}

/* What it took is garbage now; or a table of the state holds it. */
static void recover(struct tg_task *task)
{
    struct tg_state *state = task->state;

    lua_gc(state->L, LUA_GCCOLLECT);
    task->bytes = 0;
    if (state->on_exhausted && tg_state_is_exhausted(state))
        state->on_exhausted(state);
}

static void fail(struct tg_task *task, int status)
{
    struct tg_state *state = task->state;

    tg_failure_take(task, status);
    unwind(task);
    end(task, TG_TASK_FAILED);
    lua_pop(state->L, 2);
    if (task->fault == TG_TASK_MEMORY)
        recover(task);
    release(task);
}

void tg_task_resume(struct tg_task *task, int nargs)
{
    struct tg_state *state = task->state;
    size_t ceiling = lift_ceiling(state);
    int status = run(task, nargs);

    task->resumers = NULL;
    if (status == LUA_OK) {
        end(task, TG_TASK_RETURNED);
        release(task);
        tg_state_relieve(state);
    } else if (status != LUA_YIELD || !task->wait) {
        fail(task, status);
    }
    state->ceiling = ceiling;
}

/* --- making it --- */

static void no_operation(struct tg_wait *wait)
{
    (void)wait;
}

static struct tg_task *make(lua_State *L)
{
    struct tg_state *state = tg_state_of(L);
    lua_State *co = lua_newthread(L);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX); /* may raise, so it is first */
    struct tg_task *task = tg_alloc(sizeof(*task));

    tg_coroutine_keep(co);
    task->state = state;
    task->co = co;
    task->ref = ref;
    task->turn = (struct tg_wait){task, no_operation};
    task->cause = LUA_NOREF;
    tg_list_init(&task->ready);
    tg_list_init(&task->children);
    tg_list_init(&task->sibling);
    tg_list_init(&task->defers);
    return task;
}

static struct tg_task *take_or_make(lua_State *L, tg_task_end_fn *on_end,
                                    void *arg)
{
    struct tg_state *state = tg_state_of(L);
    struct tg_task *task;

    if (state->nspare) {
        task = tg_list_item(state->spare.prev, struct tg_task, link);
        tg_list_remove(&task->link);
        state->nspare--;
    } else {
        task = make(L);
    }
    if (state->begun++ % TUNE_EACH == 0)
        tg_state_tune(state);
    task->on_end = on_end;
    task->arg = arg;
    task->wait = NULL;
    task->parent = NULL;
    task->depth = 0;
    task->doomed = task->sliced = task->was_cut = false;
    task->fault = TG_TASK_ERROR;
    task->budget = state->budget;
    task->bytes = 0;
    task->cleanup = 0;
    task->since = tg_clock_coarse();
    tg_list_append(&state->tasks, &task->link);
    state->ntasks++;
    tg_census.tasks++;
    return task;
}

struct tg_task *tg_task_new(struct tg_state *state, tg_task_end_fn *on_end,
                            void *arg)
{
    size_t ceiling = lift_ceiling(state);
    struct tg_task *task = take_or_make(state->L, on_end, arg);

    state->ceiling = ceiling;
    return task;
}

struct tg_task *tg_task_child(lua_State *L, tg_task_end_fn *on_end, void *arg)
{
    struct tg_task *parent = tg_state_of(L)->running, *task;

    if (!parent)
        luaL_error(L, "cannot spawn here: not in a handler, timer or on_start");
    if (parent->depth == DEPTH_MOST)
        luaL_error(L, "cannot spawn here: tasks in tasks, %d deep", DEPTH_MOST);
    task = take_or_make(L, on_end, arg);
    task->budget = parent->budget;
    task->parent = parent;
    task->depth = parent->depth + 1;
    task->wait = &task->turn;
    tg_list_append(&parent->children, &task->sibling);
    return task;
}

void tg_task_detach(struct tg_task *task)
{
    task->parent = NULL; /* its depth stays: it counts for its children */
    tg_list_remove(&task->sibling);
}

struct tg_task *tg_task_root(struct tg_task *task)
{
    while (task->parent)
        task = task->parent;
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
    tg_task_resume(task, nargs);
}

void tg_task_defer(struct tg_task *task, struct tg_defer *defer)
{
    tg_list_append(&task->defers, &defer->link);
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
