// SPDX-License-Identifier: MIT
/*
 * tidegate.core.task -- work beside the work.
 *
 *     task.spawn(fn, ...)       runs fn(...) as a child of this task; a handle
 *     task.first(handles [, s]) waits until one of a list has ended; its index,
 *                               or nil, "timed out", "timeout"
 *     h:wait([seconds])         what fn returned; raises what it raised;
 *                               nil, "cancelled", "cancelled"
 *     h:cancel()                true, or false if it has ended
 *     h:status()                "running", "returned", "failed", "cancelled"
 *     h:detach()                it may live longer than its parent; the handle
 *
 * A failure that nobody has waited for is logged when the parent ends.
 */
#include "script/task.h"
#include <string.h>

#include "base/log.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "http/exchange.h"
#include "net/timer.h"
#include "script/failure.h"

#define HANDLE "tidegate.task"

enum state { RUNNING, RETURNED, FAILED, CANCELLED };

struct handle {
    struct tg_task *task; /* NULL when it has ended */
    enum state state;
    enum tg_task_fault fault;
    struct tg_list watches;  /* of those that wait for it */
    struct tg_defer unheard; /* of its parent: tells of its failure */
    bool is_unheard;
    char request[TG_EXCHANGE_ID + 1]; /* in which it has failed */
    int self; /* registry: while it runs, or its failure is unheard */
    struct tg_state *owner;
    /* uservalue 1: its results, or {error, traceback} */
};

/* --- its end --- */

struct watch {
    struct tg_list link;
    struct waiting *waiting;
    int index;
};

/* A task that waits for the first of some. */
struct waiting {
    struct tg_wait wait;
    struct tg_timer *timer;
    int count, first; /* which has ended; 0: the time was over */
    struct watch watches[];
};

static void stop_watching(struct waiting *waiting)
{
    int i;

    for (i = 0; i < waiting->count; i++)
        tg_list_remove(&waiting->watches[i].link);
    if (waiting->timer)
        tg_timer_stop(waiting->timer);
    waiting->timer = NULL;
}

static void tell(struct handle *handle)
{
    while (!tg_list_empty(&handle->watches)) {
        struct watch *watch =
            tg_list_item(handle->watches.next, struct watch, link);

        watch->waiting->first = watch->index;
        stop_watching(watch->waiting);
        tg_wait_ready(&watch->waiting->wait);
    }
}

static void let_go(struct handle *handle)
{
    lua_State *L = handle->owner->L;
    int self = handle->self;

    handle->self = LUA_NOREF; /* the handle may be collected from here on */
    luaL_unref(L, LUA_REGISTRYINDEX, self);
}

/* Protected: moves what the task has returned, or how it has failed. */
static int keep_results(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, 1);
    lua_State *co = tg_task_stack(handle->task);
    int i, n = lua_gettop(co);

    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->self);
    lua_createtable(L, n, 1);
    for (i = 1; i <= n; i++) {
        lua_pushvalue(co, i);
        lua_xmove(co, L, 1);
        lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "n");
    lua_setiuservalue(L, -2, 1);
    return 0;
}

/* The error and its traceback are below on the stack of the state. */
static int keep_error(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->self);
    lua_createtable(L, 2, 0);
    if (handle->fault == TG_TASK_ERROR)
        lua_getfield(L, LUA_REGISTRYINDEX, "tidegate.error");
    else
        tg_bind_push_failure(L, handle->fault == TG_TASK_TIME ? "over_time"
                                                              : "over_memory");
    lua_rawseti(L, -2, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidegate.traceback");
    lua_rawseti(L, -2, 2);
    lua_setiuservalue(L, -2, 1);
    return 0;
}

/* Protected, too. */
static int log_error(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, 1);
    size_t len, id = strlen(handle->request);
    struct tg_log_field request = TG_LOG_TEXT("request", handle->request, id);
    const char *message;

    lua_pushliteral(L, "a task that nobody waited for: ");
    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->self);
    lua_getiuservalue(L, -1, 1);
    lua_rawgeti(L, -1, 2);
    lua_replace(L, -3);
    lua_pop(L, 1);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    lua_concat(L, 2);
    message = lua_tolstring(L, -1, &len);
    tg_log_record(TG_LOG_ERROR, message, len, &request, id > 0);
    return 0;
}

static void log_unheard(struct handle *handle)
{
    handle->is_unheard = false;
    tg_state_attempt(handle->owner, log_error, handle, "a task");
    let_go(handle);
}

static void on_parent_end(struct tg_defer *defer)
{
    log_unheard(tg_list_item(defer, struct handle, unheard));
}

static void hear(struct handle *handle)
{
    if (!handle->is_unheard)
        return;
    handle->is_unheard = false;
    tg_list_remove(&handle->unheard.link);
    let_go(handle);
}

static void keep_failure(struct handle *handle)
{
    lua_State *L = handle->owner->L;
    struct tg_exchange *x = tg_app_exchange_of(handle->task);

    if (x)
        strcpy(handle->request, tg_exchange_id(x));
    handle->fault = handle->task->fault;
    lua_pushvalue(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidegate.error");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidegate.traceback");
    tg_state_attempt(handle->owner, keep_error, handle, "a task");
}

static void on_end(struct tg_task *task, enum tg_task_end end, void *arg)
{
    struct handle *handle = arg;
    bool is_heard;

    if (!handle) { /* there was no memory to begin it */
        tg_app_task_ended(task->state->host);
        return;
    }
    is_heard = !tg_list_empty(&handle->watches);
    handle->state = end == TG_TASK_RETURNED ? RETURNED
                    : end == TG_TASK_FAILED ? FAILED
                                            : CANCELLED;
    if (end == TG_TASK_RETURNED)
        tg_state_attempt(handle->owner, keep_results, handle, "a task");
    else if (end == TG_TASK_FAILED)
        keep_failure(handle);
    handle->task = NULL;
    tell(handle);
    if (end != TG_TASK_FAILED || is_heard) {
        let_go(handle);
    } else if (task->parent) {
        handle->is_unheard = true;
        handle->unheard.run = on_parent_end;
        tg_task_defer(task->parent, &handle->unheard);
    } else {
        log_unheard(handle);
    }
    tg_app_task_ended(task->state->host);
}

/* --- its beginning --- */

static int task_spawn(lua_State *L)
{
    int nargs = lua_gettop(L) - 1;
    struct handle *handle;
    struct tg_task *task;
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    handle = lua_newuserdatauv(L, sizeof(*handle), 1);
    *handle = (struct handle){.self = LUA_NOREF, .owner = tg_state_of(L)};
    tg_list_init(&handle->watches);
    luaL_setmetatable(L, HANDLE);
    lua_insert(L, 1);
    task = tg_task_child(L, on_end, NULL);
    co = tg_task_stack(task);
    luaL_checkstack(L, 1, "too many arguments"); /* it ends with its parent */
    if (!lua_checkstack(co, nargs + 1))
        return luaL_error(L, "too many arguments");
    lua_pushvalue(L, 1);
    handle->self = luaL_ref(L, LUA_REGISTRYINDEX);
    handle->task = task;
    task->arg = handle; /* nothing raises from here on */
    lua_xmove(L, co, nargs + 1);
    tg_task_begin(task, nargs);
    return 1;
}

/* --- waiting for it --- */

static struct handle *check_handle(lua_State *L, int index)
{
    return luaL_checkudata(L, index, HANDLE);
}

static int raise_error(lua_State *L, struct handle *handle)
{
    hear(handle);
    lua_rawgeti(L, -1, 1); /* results error */
    lua_rawgeti(L, -2, 2);
    tg_failure_set_cause(L);
    lua_pop(L, 1);
    return lua_error(L);
}

/* The handle is at 1. */
static int push_results(lua_State *L, struct handle *handle)
{
    int i, n;

    lua_settop(L, 1);
    if (handle->state == CANCELLED) {
        lua_pushnil(L);
        lua_pushliteral(L, "cancelled");
        lua_pushliteral(L, "cancelled");
        return 3;
    }
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) /* no memory to keep them */
        return luaL_error(L, "not enough memory");
    if (handle->state == FAILED)
        return raise_error(L, handle);
    lua_getfield(L, 2, "n");
    n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, n, "too many results");
    for (i = 1; i <= n; i++)
        lua_rawgeti(L, 2, i);
    return n;
}

static void on_cancel(struct tg_wait *wait)
{
    stop_watching((struct waiting *)wait);
}

static void on_time(void *arg)
{
    struct waiting *waiting = arg;

    waiting->timer = NULL;
    stop_watching(waiting);
    tg_wait_wake(&waiting->wait);
}

static void watch(struct waiting *waiting, struct handle *handle)
{
    struct watch *watch = &waiting->watches[waiting->count++];

    watch->waiting = waiting;
    watch->index = waiting->count;
    tg_list_append(&handle->watches, &watch->link);
}

/* Pushes a record of a wait for up to `room` tasks. */
static struct waiting *new_waiting(lua_State *L, int room)
{
    size_t size = sizeof(struct waiting) + (size_t)room * sizeof(struct watch);
    struct waiting *waiting = lua_newuserdatauv(L, size, 0);

    *waiting = (struct waiting){.wait.cancel = on_cancel};
    return waiting;
}

/* Parks until one of them has ended; the record stays on top. */
static int park(lua_State *L, struct waiting *waiting, int seconds,
                lua_KFunction next)
{
    if (!lua_isnoneornil(L, seconds))
        waiting->timer = tg_timer_start(
            tg_bind_loop(L), lua_tonumber(L, seconds), on_time, waiting);
    return tg_wait_park(L, &waiting->wait, next, 0);
}

static void check_other(lua_State *L, const struct handle *handle)
{
    if (handle->task && handle->task == tg_state_of(L)->running)
        luaL_error(L, "a task cannot wait for itself");
}

static int waited(lua_State *L, int status, lua_KContext context)
{
    struct waiting *waiting = lua_touserdata(L, -1);

    (void)status, (void)context;
    if (!waiting->first)
        return tg_bind_timeout(L);
    return push_results(L, check_handle(L, 1));
}

static int handle_wait(lua_State *L)
{
    struct handle *handle = check_handle(L, 1);
    struct waiting *waiting;

    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        tg_bind_seconds(L, 2);
    if (handle->state != RUNNING)
        return push_results(L, handle);
    check_other(L, handle);
    tg_wait_check(L);
    waiting = new_waiting(L, 1);
    watch(waiting, handle);
    return park(L, waiting, 2, waited);
}

static int first_ended(lua_State *L, int status, lua_KContext context)
{
    struct waiting *waiting = lua_touserdata(L, -1);

    (void)status, (void)context;
    if (!waiting->first)
        return tg_bind_timeout(L);
    lua_pushinteger(L, waiting->first);
    return 1;
}

/* Those it looks at stay alive: the list is on the stack. */
static int task_first(lua_State *L)
{
    struct waiting *waiting;
    lua_Integer i, n;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        tg_bind_seconds(L, 2);
    n = (lua_Integer)lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1, 1, "no tasks");
    for (i = 1; i <= n; i++) {
        struct handle *handle;

        lua_rawgeti(L, 1, i);
        handle = check_handle(L, 3);
        check_other(L, handle);
        lua_settop(L, 2);
        if (handle->state == RUNNING)
            continue;
        lua_pushinteger(L, i);
        return 1;
    }
    tg_wait_check(L);
    waiting = new_waiting(L, (int)n);
    for (i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        watch(waiting, lua_touserdata(L, -1));
        lua_pop(L, 1);
    }
    return park(L, waiting, 2, first_ended);
}

/* --- the rest --- */

static int handle_cancel(lua_State *L)
{
    struct handle *handle = check_handle(L, 1);

    lua_pushboolean(L, handle->task != NULL);
    if (handle->task)
        tg_task_doom(handle->task);
    return 1;
}

static int handle_status(lua_State *L)
{
    static const char *const names[] = {"running", "returned", "failed",
                                        "cancelled"};

    lua_pushstring(L, names[check_handle(L, 1)->state]);
    return 1;
}

static int handle_detach(lua_State *L)
{
    struct handle *handle = check_handle(L, 1);

    if (handle->task)
        tg_task_detach(handle->task);
    lua_settop(L, 1);
    return 1;
}

static const luaL_Reg methods[] = {
    {"wait", handle_wait},
    {"cancel", handle_cancel},
    {"status", handle_status},
    {"detach", handle_detach},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"spawn", task_spawn},
    {"first", task_first},
    {NULL, NULL},
};

int luaopen_tidegate_core_task(lua_State *L);

int luaopen_tidegate_core_task(lua_State *L)
{
    tg_bind_class(L, HANDLE, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
