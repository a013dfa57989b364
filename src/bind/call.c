// SPDX-License-Identifier: MIT
/*
 * A call: one task that answers one exchange.  It finds the route and runs the
 * handler.  What that returns becomes the response (answer.h); what it raises
 * goes to tidegate.app's `failed`, which knows how to answer.
 */
#include "bind/call.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/settings.h"
#include "bind/answer.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "http/exchange.h"
#include "script/state.h"
#include "script/task.h"

enum { ANSWER_BYTES = 8 * 1024 * 1024 }; /* that answer a failure */

struct tg_call {
    struct tg_app *app;
    struct tg_exchange *x;
    uint64_t serial;
    struct tg_task *task;
    int shields;          /* it goes on even if the client leaves */
    bool gone;            /* the client has left */
    bool late;            /* it took too long; the blame is pushed */
    struct tg_call *next; /* while it is spare */
};

/* --- running it --- */

/* Where the running of a request has its values. */
enum { SLOT_REQUEST = 1, SLOT_RUN, SLOT_OTHER, SLOT_ROUTE, SLOT_PARAMS };

static void push_method(lua_State *L, struct tg_exchange *x)
{
    struct tg_span method = tg_exchange_head(x)->method;

    lua_pushlstring(L, tg_exchange_bytes(x) + method.at, method.len);
}

/* find(method, path, host) gives what to run, its route and parameters, and
 * whether it takes the response.  The path is at SLOT_RUN. */
static bool find_any(lua_State *L, struct tg_app *app, struct tg_exchange *x)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->find);
    push_method(L, x);
    lua_pushvalue(L, SLOT_RUN);
    if (app->by_host)
        tg_request_push_host(L, x);
    else
        lua_pushnil(L);
    lua_call(L, 3, 4);
    lua_copy(L, SLOT_OTHER, SLOT_RUN);
    return lua_toboolean(L, -1);
}

/* Leaves what to run, the route and its parameters where they belong, each of
 * the latter maybe nil; does it take the response?  Most routes have no
 * parameters: these are found here. */
static bool find_route(lua_State *L, struct tg_app *app, struct tg_exchange *x)
{
    bool wants_response;

    tg_request_push_path(L, x);
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->plain);
    lua_pushvalue(L, SLOT_RUN);
    if (lua_rawget(L, SLOT_OTHER) == LUA_TNIL) {
        lua_settop(L, SLOT_RUN);
        return find_any(L, app, x);
    }
    lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_ENTRIES);
    push_method(L, x);
    lua_gettable(L, -2); /* ... route entries entry */
    lua_rawgeti(L, -1, 1);
    lua_replace(L, SLOT_RUN);
    lua_rawgeti(L, -1, 2);
    wants_response = lua_toboolean(L, -1);
    lua_settop(L, SLOT_ROUTE);
    return wants_response;
}

/* Of a route that has one of its own; its seconds are on top. */
static void apply_budget(lua_State *L)
{
    struct tg_task *task = tg_state_of(L)->running;
    struct tg_budget budget = task->budget;
    double bytes;

    budget.milliseconds = tg_app_milliseconds(lua_tonumber(L, -1));
    lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_MEMORY);
    bytes = lua_tonumber(L, -1);
    budget.task_bytes = bytes < (double)PTRDIFF_MAX ? (size_t)bytes : SIZE_MAX;
    tg_task_allow(task, &budget);
}

static void apply_route(lua_State *L, struct tg_exchange *x)
{
    bool has_params = lua_istable(L, SLOT_PARAMS);
    const char *label;
    size_t len;

    lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_PATH);
    label = lua_tolstring(L, -1, &len);
    tg_exchange_set_label(x, label, len);
    if (tg_exchange_head(x)->content_length > 0 ||
        tg_exchange_head(x)->chunked) {
        lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_BODY_LIMIT);
        if (!tg_exchange_limit(x, (uint64_t)lua_tointeger(L, -1)))
            tg_bind_fail(L, 413, "the request's content is too large");
    }
    if (lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_WAIT) == LUA_TNUMBER)
        tg_exchange_set_wait(x, lua_tonumber(L, -1));
    if (lua_rawgeti(L, SLOT_ROUTE, TG_ROUTE_TIME) == LUA_TNUMBER)
        apply_budget(L);
    lua_pushvalue(L, SLOT_ROUTE);
    lua_setiuservalue(L, SLOT_REQUEST, TG_REQUEST_ROUTE);
    if (has_params) {
        lua_pushvalue(L, SLOT_PARAMS);
        lua_setiuservalue(L, SLOT_REQUEST, TG_REQUEST_PARAMS);
    }
}

static int answer(lua_State *L)
{
    struct tg_handle *handle = lua_touserdata(L, 1);
    struct tg_exchange *x = handle->x;
    struct tg_app *app = tg_state_of(L)->host;
    bool wants_response;

    wants_response = find_route(L, app, x);
    if (!lua_isnil(L, SLOT_ROUTE))
        apply_route(L, x);
    else
        tg_exchange_limit(
            x, (uint64_t)
                   app->limits->body_limit); /* its middleware may read, too */
    lua_settop(L, SLOT_RUN);
    lua_pushvalue(L, SLOT_REQUEST);
    if (wants_response)
        tg_response_push(L, x);
    lua_callk(L, 1 + wants_response, LUA_MULTRET, 0, tg_answer_returned);
    return tg_answer_returned(L, LUA_OK, 0);
}

/* --- when it fails --- */

/* Fields that spoke of the content which is not sent now. */
static void drop_content_headers(struct tg_headers *headers)
{
    static const char *const names[] = {"cache-control", "etag", "expires",
                                        "last-modified", "accept-ranges"};
    unsigned i;
    size_t len;

    for (i = 0; i < headers->count;) {
        const char *name = tg_headers_name(headers, i, &len);

        if (len >= 8 && strncasecmp(name, "content-", 8) == 0)
            tg_headers_remove(headers, name, len); /* this one, and others */
        else
            i++;
    }
    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        tg_headers_remove(headers, names[i], strlen(names[i]));
}

/* Protected: the call; the error and its traceback are below on the stack of
 * the state. */
static int answer_failure(lua_State *L)
{
    struct tg_call *call = lua_touserdata(L, 1);
    struct tg_exchange *x = call->x;

    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->app->failed);
    tg_request_push(L, x);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidegate.error");
    lua_getfield(L, LUA_REGISTRYINDEX, "tidegate.traceback");
    lua_call(L, 3, 3);
    if (tg_exchange_stage(x) == TG_RESPONSE_OPEN) {
        drop_content_headers(tg_exchange_response_headers(x));
        tg_answer_with(L, x, 2);
    }
    return 0;
}

/* No answer could be made in Lua: a bare one, or none if it is too late. */
static void answer_bare(struct tg_exchange *x)
{
    if (tg_exchange_stage(x) == TG_RESPONSE_OPEN) {
        tg_headers_clear(tg_exchange_response_headers(x));
        tg_exchange_respond(x, 500, "text/plain; charset=utf-8",
                            "500 Internal Server Error\n", 26);
    } else if (tg_exchange_stage(x) == TG_RESPONSE_BEGUN) {
        tg_exchange_abort(x);
    }
}

/* Cancelled by the drain's deadline, or since the client has left. */
static void answer_cancelled(struct tg_call *call)
{
    if (call->gone)
        return;
    if (tg_exchange_stage(call->x) == TG_RESPONSE_OPEN)
        tg_exchange_respond(call->x, 503, "text/plain; charset=utf-8",
                            "503 Service Unavailable\n", 24);
    else if (tg_exchange_stage(call->x) == TG_RESPONSE_BEGUN)
        tg_exchange_abort(call->x);
}

/* Protected: an error that says no more than "over its budget" becomes a
 * failure; the traceback, which says it all, is on top. */
static int excuse(lua_State *L)
{
    enum tg_task_fault *fault = lua_touserdata(L, 1);

    tg_bind_push_failure(L,
                         *fault == TG_TASK_TIME ? "over_time" : "over_memory");
    lua_setfield(L, LUA_REGISTRYINDEX, "tidegate.error");
    return 0;
}

/* The error and its traceback are on top. */
static void keep_error(lua_State *L)
{
    lua_pushvalue(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidegate.error");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidegate.traceback");
}

/* Answers with the error that was kept.  What is in a failure is the handler's:
 * it may be anything, so that is not without a limit either. */
static void fail(struct tg_call *call, struct tg_task *task)
{
    struct tg_state *state = call->app->state;
    struct tg_task *running = state->running;

    state->running = task; /* log records name its request */
    state->ceiling = state->bytes + ANSWER_BYTES;
    tg_state_attempt(state, answer_failure, call,
                     "cannot answer a failed request");
    state->ceiling = SIZE_MAX;
    state->running = running;
    if (tg_exchange_is(call->x, call->serial))
        answer_bare(call->x);
}

/* --- its life --- */

static void release(struct tg_call *call)
{
    call->next = call->app->spare;
    call->app->spare = call;
}

static void on_end(struct tg_task *task, enum tg_task_end end, void *arg)
{
    struct tg_call *call = arg;
    struct tg_app *app = call->app;

    if (tg_exchange_is(call->x, call->serial) &&
        tg_exchange_stage(call->x) != TG_RESPONSE_FINISHED) {
        tg_exchange_watch(call->x, NULL, NULL, NULL);
        if (end == TG_TASK_FAILED)
            keep_error(app->state->L);
        if (end == TG_TASK_FAILED && task->fault != TG_TASK_ERROR)
            tg_state_attempt(app->state, excuse, &task->fault, "budget");
        if (end == TG_TASK_FAILED || call->late)
            fail(call, task);
        else if (end == TG_TASK_CANCELLED)
            answer_cancelled(call);
    } else if (end == TG_TASK_FAILED) {
        tg_log(TG_LOG_ERROR, "after its response: %s",
               lua_tostring(app->state->L, -1));
    }
    release(call);
    tg_app_task_ended(app);
}

static void on_gone(void *arg)
{
    struct tg_call *call = arg;

    call->gone = true;
    if (!call->shields)
        tg_task_cancel(call->task);
}

/* Protected: who is late, and where it waits. */
static int blame(lua_State *L)
{
    struct tg_call *call = lua_touserdata(L, 1);

    tg_bind_push_failure(L, "late");
    tg_task_trace(call->task, L, "no answer in time, still waiting");
    keep_error(L);
    return 0;
}

static void on_late(void *arg)
{
    struct tg_call *call = arg;

    call->late = true;
    tg_state_attempt(call->app->state, blame, call, "cannot blame a handler");
    tg_task_cancel(call->task);
}

void tg_app_serve(struct tg_app *app, struct tg_exchange *x)
{
    struct tg_call *call = app->spare;
    lua_State *co;

    if (call)
        app->spare = call->next;
    else
        call = tg_alloc(sizeof(*call));
    call->app = app;
    call->x = x;
    call->serial = tg_exchange_serial(x);
    call->gone = call->late = false;
    call->shields = 0;
    call->task = tg_task_new(app->state, on_end, call);
    tg_exchange_watch(x, on_gone, on_late, call);
    co = tg_task_stack(call->task);
    lua_pushcfunction(co, answer);
    tg_request_push(co, x);
    tg_task_start(call->task, 1);
}

/* What its first ancestor answers, or NULL. */
static struct tg_call *call_of(struct tg_task *task)
{
    task = task ? tg_task_root(task) : NULL;
    return task && task->on_end == on_end ? tg_task_arg(task) : NULL;
}

struct tg_exchange *tg_app_exchange_of(struct tg_task *task)
{
    struct tg_call *call = call_of(task);

    return call && tg_exchange_is(call->x, call->serial) ? call->x : NULL;
}

struct tg_exchange *tg_app_exchange(struct tg_app *app)
{
    return tg_app_exchange_of(app->state->running);
}

void tg_call_shield(struct tg_app *app)
{
    call_of(app->state->running)->shields++;
}

void tg_call_unshield(struct tg_app *app)
{
    struct tg_call *call = call_of(app->state->running);

    if (!call) /* its task was detached meanwhile */
        return;
    if (--call->shields == 0 && call->gone)
        tg_task_doom(call->task);
}

void tg_call_free_spare(struct tg_app *app)
{
    struct tg_call *call;

    while ((call = app->spare)) {
        app->spare = call->next;
        free(call);
    }
}
