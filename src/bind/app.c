// SPDX-License-Identifier: MIT
#include "bind/app.h"

#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/blackbox.h"
#include "base/log.h"
#include "base/settings.h"
#include "bind/bind.h"
#include "bind/call.h"
#include "bind/core.h"
#include "bind/service.h"
#include "http/exchange.h"
#include "net/timer.h"
#include "script/bundle.h"
#include "script/state.h"
#include "script/task.h"

static int set_threads(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.core");
    lua_pushinteger(L, *(int *)lua_touserdata(L, 1));
    lua_setfield(L, -2, "threads");
    return 0;
}

struct tg_app *tg_app_new(struct tg_bundle *bundle, uint64_t generation,
                          int thread, int threads,
                          const struct tg_limits *limits)
{
    struct tg_app *app = tg_alloc(sizeof(*app));

    app->limits = limits;
    app->state = tg_state_new(bundle, generation, thread);
    app->state->host = app;
    tg_list_init(&app->alarms);
    tg_list_init(&app->subscriptions);
    tg_list_init(&app->open);
    tg_list_init(&app->services);
    tg_state_attempt(app->state, tg_core_open, NULL, "cannot open the modules");
    tg_state_attempt(app->state, set_threads, &threads, "threads");
    return app;
}

void tg_app_free(struct tg_app *app)
{
    tg_timers_cancel(app);
    tg_subscriptions_end(app);
    tg_call_free_spare(app);
    tg_state_free(app->state);
    free(app);
}

/* 0: no time at all would be none to say so in. */
unsigned tg_app_milliseconds(double seconds)
{
    double n = seconds * 1000;

    return n < 1 ? 1 : n > UINT_MAX ? UINT_MAX : (unsigned)n;
}

void tg_app_watch(struct tg_app *app, struct tg_turn *turn, double seconds)
{
    struct tg_budget budget = {
        .milliseconds = tg_app_milliseconds(seconds),
        .task_bytes = (size_t)app->limits->memory_limit,
        .state_bytes = (size_t)app->limits->state_limit,
    };

    tg_state_move(app->state, turn, &budget);
}

/* --- loading --- */

struct loading {
    struct tg_app *app;
    struct tg_text *report;
    bool ok;
};

/* tidegate.app.load() returns find, failed, by_host, plain; or nil and a
 * report. */
static int load(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, 1);
    struct tg_app *app = loading->app;
    const char *text;
    size_t len;

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidegate.app");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "load");
    lua_call(L, 0, 4); /* app module, find, failed, by_host, plain */
    if (lua_isnil(L, -4)) {
        text = luaL_checklstring(L, -3, &len);
        tg_text_add(loading->report, text, len);
        return 0;
    }
    app->plain = luaL_ref(L, LUA_REGISTRYINDEX);
    app->by_host = lua_toboolean(L, -1);
    lua_pop(L, 1);
    app->failed = luaL_ref(L, LUA_REGISTRYINDEX);
    app->find = luaL_ref(L, LUA_REGISTRYINDEX);
    loading->ok = true;
    return 0;
}

bool tg_app_load(struct tg_app *app, struct tg_text *report)
{
    struct loading loading = {app, report, false};
    char *error;

    app->state->ceiling = app->state->budget.state_bytes;
    error = tg_state_protect(app->state, load, &loading);
    app->state->ceiling = SIZE_MAX;
    if (error)
        tg_text_adds(report, error);
    free(error);
    return loading.ok && !error;
}

struct listing {
    bool as_json;
    struct tg_text *out;
};

static int list_routes(lua_State *L)
{
    struct listing *listing = lua_touserdata(L, 1);
    const char *text;
    size_t len;

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidegate.app");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "routes");
    lua_pushboolean(L, listing->as_json);
    lua_call(L, 1, 1);
    text = luaL_checklstring(L, -1, &len);
    tg_text_add(listing->out, text, len);
    return 0;
}

void tg_app_routes(struct tg_app *app, bool as_json, struct tg_text *out)
{
    struct listing listing = {as_json, out};

    tg_state_attempt(app->state, list_routes, &listing, "routes");
}

/* --- tasks of its own --- */

static void on_task_end(struct tg_task *task, enum tg_task_end end, void *arg)
{
    struct tg_app *app = task->state->host;

    if (end == TG_TASK_FAILED)
        tg_log(TG_LOG_ERROR, "%s: %s", (const char *)arg,
               lua_tostring(app->state->L, -1));
    tg_app_task_ended(app);
}

const char *tg_app_own_task(struct tg_task *task)
{
    return task->on_end == on_task_end ? tg_task_arg(task) : "a task";
}

void tg_app_spawn(struct tg_app *app, lua_State *L, int nargs, const char *what)
{
    struct tg_task *task =
        tg_task_new(app->state, on_task_end, (void *)(uintptr_t)what);

    lua_xmove(L, tg_task_stack(task), nargs + 1);
    tg_task_start(task, nargs);
}

static void close_all(struct tg_app *app)
{
    while (!tg_list_empty(&app->open)) {
        struct tg_open *open =
            tg_list_item(app->open.next, struct tg_open, link);

        open->close(open);
    }
}

static void on_idle(void *arg)
{
    struct tg_app *app = arg;

    app->idle = NULL;
    if (app->state->ntasks > 0)
        return;
    close_all(app);
    app->on_idle(app->arg);
}

/* From the loop: the task that has just ended is not put away yet, and who is
 * told that the app is idle will free it. */
void tg_app_task_ended(struct tg_app *app)
{
    if (app->retired && app->state->ntasks == 1 && !app->idle)
        app->idle = tg_timer_start(app->loop, 0, on_idle, app);
}

static void on_ready(struct tg_state *state);

static void run_ready(void *arg)
{
    struct tg_app *app = arg;

    app->turn = NULL;
    if (!tg_task_run_ready(app->state))
        on_ready(app->state);
}

/* From the loop, so that what waits at its sockets has its turn, too. */
static void on_ready(struct tg_state *state)
{
    struct tg_app *app = state->host;

    if (!app->turn)
        app->turn = tg_timer_start(app->loop, 0, run_ready, app);
}

static void on_exhausted(struct tg_state *state)
{
    struct tg_app *app = state->host;

    if (app->on_exhausted)
        app->on_exhausted(app->exhausted_arg);
}

/* --- starting --- */

/* Should the process die now, this is what it was in. */
static void on_run(struct tg_state *state, struct tg_task *task)
{
    struct tg_app *app = state->host;
    struct tg_exchange *x = task ? tg_app_exchange_of(task) : NULL;

    if (x) {
        const struct tg_head *head = tg_exchange_head(x);

        tg_note_write(app->note, tg_exchange_bytes(x) + head->method.at,
                      head->target.at + head->target.len - head->method.at);
    } else if (task) {
        tg_note_write(app->note, "a task of its own", 17);
    } else {
        tg_note_clear(app->note);
    }
}

void tg_app_attach(struct tg_app *app, struct tg_loop *loop,
                   struct tg_turn *turn, struct tg_note *note)
{
    app->loop = loop;
    app->note = note;
    app->state->on_run = on_run;
    app->state->on_ready = on_ready;
    app->state->on_exhausted = on_exhausted;
    tg_app_watch(app, turn, app->limits->time_limit);
}

static void started(struct tg_app *app, const char *error)
{
    app->starting = NULL;
    if (app->deadline)
        tg_timer_stop(app->deadline);
    app->deadline = NULL;
    app->on_started(error, app->arg);
}

static void on_start_end(struct tg_task *task, enum tg_task_end end, void *arg)
{
    struct tg_app *app = arg;

    (void)task;
    if (!app->starting)
        return; /* the thread ends */
    if (end == TG_TASK_RETURNED)
        started(app, NULL);
    else if (end == TG_TASK_FAILED)
        started(app, lua_tostring(app->state->L, -1));
    else
        started(app, "on_start took longer than start_timeout");
}

static void on_start_deadline(void *arg)
{
    struct tg_app *app = arg;

    app->deadline = NULL;
    tg_task_cancel(app->starting);
}

/* Pushes the function of tidegate.lifecycle that runs the registered ones. */
static int push_lifecycle(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    struct tg_app *app = tg_state_of(L)->host;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tidegate.lifecycle");
    lua_getfield(L, -1, app->retired ? "run_stop" : "run_start");
    lua_xmove(L, tg_task_stack(task), 1);
    return 0;
}

void tg_app_start(struct tg_app *app, double seconds, tg_app_started_fn *fn,
                  void *arg)
{
    char *error = tg_services_open(app);
    struct tg_task *task;

    app->on_started = fn;
    app->arg = arg;
    if (error) {
        fn(error, arg);
        free(error);
        return;
    }
    task = tg_task_new(app->state, on_start_end, app);
    app->starting = task;
    tg_state_attempt(app->state, push_lifecycle, task, "on_start");
    app->deadline = tg_timer_start(app->loop, seconds, on_start_deadline, app);
    tg_task_start(task, 0);
}

void tg_app_go_live(struct tg_app *app)
{
    app->live = true;
    tg_timers_start(app);
    tg_services_go_live(app);
}

/* --- retiring --- */

void tg_app_retire(struct tg_app *app, tg_app_idle_fn *fn, void *arg)
{
    struct tg_task *task;

    app->retired = true;
    tg_timers_cancel(app);
    tg_subscriptions_end(app);
    tg_services_close(app);
    task = tg_task_new(app->state, on_task_end, (void *)(uintptr_t) "on_stop");
    tg_state_attempt(app->state, push_lifecycle, task, "on_stop");
    app->on_idle = fn;
    app->arg = arg;
    tg_task_start(task, 0);
}

int tg_app_cancel(struct tg_app *app)
{
    enum { NAMED_MOST = 20 };
    struct tg_app_work works[NAMED_MOST];
    int i, count = tg_app_works(app, works, NAMED_MOST);

    for (i = 0; i < count && i < NAMED_MOST; i++)
        tg_log(TG_LOG_WARN,
               "%s is cancelled after %.1f s: generation %" PRIu64
               " was replaced; it waits at %s",
               works[i].what, works[i].seconds, app->state->generation,
               works[i].where);
    tg_task_cancel_all(app->state);
    return count;
}

void tg_app_stop(struct tg_app *app)
{
    app->retired = true;
    app->starting = NULL;
    if (app->deadline)
        tg_timer_stop(app->deadline);
    tg_timers_cancel(app);
    tg_subscriptions_end(app);
    tg_services_close(app);
    tg_task_cancel_all(app->state);
    close_all(app);
    if (app->idle)
        tg_timer_stop(app->idle);
    if (app->turn)
        tg_timer_stop(app->turn);
    app->idle = app->deadline = app->turn = NULL;
}
