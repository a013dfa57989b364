// SPDX-License-Identifier: MIT
/*
 * tidegate.core.timer -- waiting, and doing things later.
 *
 *     timer.sleep(seconds)             parks the task
 *     timer.after(seconds, fn, ...)    runs fn(...) once, as a task
 *     timer.every(seconds, fn, ...)    runs it again and again; a run that is
 *                                      due while the last goes on is left out
 *     t:cancel()                       true, or false if it was over already
 *
 * Timers belong to their generation: when it is replaced they are cancelled.
 */
#include "net/timer.h"
#include "bind/bind.h"

#include "base/list.h"
#include "bind/app.h"
#include "script/state.h"
#include "script/task.h"

#define TIMER "tidegate.timer"

struct nap {
    struct tg_wait wait; /* first: a wait is a nap */
    struct tg_timer *timer;
};

static void cancel_nap(struct tg_wait *wait)
{
    tg_timer_stop(((struct nap *)wait)->timer);
}

static void end_nap(void *arg)
{
    tg_wait_wake(&((struct nap *)arg)->wait);
}

static int sleep_done(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_pushboolean(L, 1);
    return 1;
}

static int timer_sleep(lua_State *L)
{
    double seconds = tg_bind_seconds(L, 1);
    struct nap *nap;

    tg_wait_check(L);
    nap = lua_newuserdatauv(L, sizeof(*nap), 0);
    nap->wait.cancel = cancel_nap;
    nap->timer = tg_timer_start(tg_bind_loop(L), seconds, end_nap, nap);
    return tg_wait_park(L, &nap->wait, sleep_done, 0);
}

#define RUN "tidegate.timer.run"

struct alarm {
    struct tg_list link; /* in app->alarms while it may fire */
    struct tg_app *app;
    struct tg_timer *timer; /* NULL until the app is live */
    double seconds;
    bool repeats;
    bool armed;
    int self; /* registry: keeps it alive while armed */
};

/* The function and arguments are a table in uservalue 1; [0] is their count,
 * and [-1] is true while a run of a repeating timer goes on.  The run closes
 * it, however it ends. */
static int run_close(lua_State *L)
{
    lua_pushnil(L);
    lua_rawseti(L, 1, -1);
    return 0;
}

static int run_over(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

static int run_alarm_task(lua_State *L)
{
    lua_Integer i, count;

    lua_toclose(L, 1);
    lua_rawgeti(L, 1, 0);
    count = lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, (int)count, "too many arguments");
    for (i = 1; i <= count; i++)
        lua_rawgeti(L, 1, i);
    lua_callk(L, (int)count - 1, 0, 0, run_over);
    return 0;
}

static void arm(struct alarm *alarm);

static void disarm(lua_State *L, struct alarm *alarm)
{
    if (alarm->timer)
        tg_timer_stop(alarm->timer);
    alarm->timer = NULL;
    alarm->armed = false;
    tg_list_remove(&alarm->link);
    luaL_unref(L, LUA_REGISTRYINDEX, alarm->self);
}

/* Protected: alarm as a light userdata. */
static int fire(lua_State *L)
{
    struct alarm *alarm = lua_touserdata(L, 1);
    struct tg_app *app = alarm->app;
    bool busy;

    lua_settop(L, 0);
    lua_pushcfunction(L, run_alarm_task);
    lua_rawgeti(L, LUA_REGISTRYINDEX, alarm->self);
    lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2); /* run call */
    if (alarm->repeats)
        arm(alarm);
    else
        disarm(L, alarm); /* may be collected from here on */
    lua_rawgeti(L, -1, -1);
    busy = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (busy)
        return 0;
    lua_pushboolean(L, 1);
    lua_rawseti(L, -2, -1);
    tg_app_spawn(app, L, 1, "timer");
    return 0;
}

static void on_alarm(void *arg)
{
    struct alarm *alarm = arg;

    alarm->timer = NULL;
    tg_state_attempt(alarm->app->state, fire, alarm, "timer");
}

static void arm(struct alarm *alarm)
{
    alarm->timer =
        tg_timer_start(alarm->app->loop, alarm->seconds, on_alarm, alarm);
}

static int new_alarm(lua_State *L, bool repeats)
{
    struct tg_app *app = tg_state_of(L)->host;
    double seconds = tg_bind_seconds(L, 1);
    int i, count = lua_gettop(L) - 1;
    struct alarm *alarm;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_argcheck(L, !repeats || seconds >= 0.001, 1, "under a millisecond");
    if (app->retired) {
        luaL_pushfail(L);
        lua_pushliteral(L, "this generation has been replaced");
        return 2;
    }
    alarm = lua_newuserdatauv(L, sizeof(*alarm), 1);
    alarm->armed = false;
    luaL_setmetatable(L, TIMER);
    lua_createtable(L, count, 1);
    luaL_setmetatable(L, RUN);
    lua_pushinteger(L, count);
    lua_rawseti(L, -2, 0);
    for (i = 1; i <= count; i++) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, -2, i);
    }
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    alarm->self = luaL_ref(L, LUA_REGISTRYINDEX);
    alarm->app = app;
    alarm->seconds = seconds;
    alarm->repeats = repeats;
    alarm->timer = NULL;
    alarm->armed = true;
    tg_list_append(&app->alarms, &alarm->link);
    if (app->loop)
        arm(alarm);
    return 1;
}

static int timer_after(lua_State *L)
{
    return new_alarm(L, false);
}

static int timer_every(lua_State *L)
{
    return new_alarm(L, true);
}

static int timer_cancel(lua_State *L)
{
    struct alarm *alarm = luaL_checkudata(L, 1, TIMER);

    lua_pushboolean(L, alarm->armed);
    if (alarm->armed)
        disarm(L, alarm);
    return 1;
}

void tg_timers_start(struct tg_app *app)
{
    struct tg_list *link;

    for (link = app->alarms.next; link != &app->alarms; link = link->next) {
        struct alarm *alarm = tg_list_item(link, struct alarm, link);

        if (!alarm->timer)
            arm(alarm);
    }
}

void tg_timers_cancel(struct tg_app *app)
{
    while (!tg_list_empty(&app->alarms))
        disarm(app->state->L,
               tg_list_item(app->alarms.next, struct alarm, link));
}

static const luaL_Reg methods[] = {
    {"cancel", timer_cancel},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {NULL, NULL},
};

static const luaL_Reg no_methods[] = {
    {NULL, NULL},
};

static const luaL_Reg run_metamethods[] = {
    {"__close", run_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"sleep", timer_sleep},
    {"after", timer_after},
    {"every", timer_every},
    {NULL, NULL},
};

int luaopen_tidegate_core_timer(lua_State *L);

int luaopen_tidegate_core_timer(lua_State *L)
{
    tg_bind_class(L, TIMER, methods, metamethods);
    tg_bind_class(L, RUN, no_methods, run_metamethods);
    luaL_newlib(L, functions);
    return 1;
}
