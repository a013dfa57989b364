// SPDX-License-Identifier: MIT
/*
 * tidegate.core.channel -- values from any task to all that have subscribed.
 *
 *     channel.open(name)        a channel: the same for the same name
 *     c:publish(value)          how many subscriptions have it
 *     c:subscribe([options])    a subscription: queue = n, slow = what
 *     s:get([seconds])          waits for a value
 *     s:values()                for value in s:values() do
 *     s:close()                 no more values
 *     #s                        values that wait
 *
 * get gives nil, "timed out", "timeout"; nil, "closed", "closed"; or nil, "too
 * slow", "slow".  Subscriptions belong to their generation: when it is replaced
 * they end.
 */
#include "shared/channel.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "bind/app.h"
#include "bind/bind.h"
#include "bind/line.h"
#include "bind/shared.h"
#include "script/state.h"
#include "script/value.h"

#define CHANNEL "tidegate.channel"
#define SUBSCRIPTION "tidegate.subscription"

enum { QUEUE = 100, QUEUE_MOST = 1000000 };

/* --- subscriptions --- */

struct subscription {
    struct tg_list link;          /* in app->subscriptions */
    struct tg_subscription *core; /* NULL: it is closed */
    struct tg_line line;          /* of the tasks that wait in get */
    bool tells;
};

static struct subscription *check_subscription(lua_State *L)
{
    return luaL_checkudata(L, 1, SUBSCRIPTION);
}

/* There is something to take, or never will be: all that wait look. */
static void wake(void *arg)
{
    struct subscription *subscription = arg;

    while (subscription->line.nwaiting)
        tg_line_give(&subscription->line);
}

static int fail(lua_State *L, const char *message, const char *code)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushstring(L, code);
    return 3;
}

/* Pushes a value, or why there is none; 0: there will be one. */
static int take(lua_State *L, struct subscription *subscription)
{
    char small[1024], *room = small;
    size_t len = sizeof(small);
    unsigned char type;
    uint64_t lost;
    int error, top = lua_gettop(L);

    if (!subscription->core)
        return fail(L, "closed", "closed");
    while ((error = tg_subscription_take(subscription->core, room, &len, &type,
                                         &lost)) == -ENOSPC) {
        lua_settop(L, top);
        room = lua_newuserdatauv(L, len, 0); /* it may be another by then */
    }
    if (error == -EAGAIN)
        return 0;
    if (error == -EOVERFLOW)
        return fail(L, "too slow", "slow");
    if (error)
        return fail(L, "closed", "closed");
    tg_dict_push_value(L, type, room, len);
    if (!subscription->tells)
        return 1;
    lua_pushinteger(L, (lua_Integer)lost);
    return 2;
}

/* The subscription is at 1, the seconds or nil at 2, and when they are over at
 * 3; on top: was there something? */
static int look_again(lua_State *L, int status, lua_KContext context)
{
    struct subscription *subscription = lua_touserdata(L, 1);
    bool was_woken = lua_toboolean(L, -1);
    double left;
    int count;

    (void)status;
    lua_settop(L, 3);
    count = take(L, subscription);
    if (count)
        return count;
    if (!was_woken)
        return tg_bind_timeout(L);
    lua_settop(L, 3);
    if (!lua_isnil(L, 2)) { /* another task took it: wait for the rest */
        left = lua_tonumber(L, 3) - tg_clock_now();
        lua_pushnumber(L, left > 0 ? left : 0);
        lua_replace(L, 2);
    }
    return tg_line_take(L, &subscription->line, 2, look_again, context);
}

static int subscription_get(lua_State *L)
{
    struct subscription *subscription = check_subscription(L);
    int count;

    lua_settop(L, 2);
    if (lua_isnil(L, 2))
        lua_pushnil(L);
    else
        lua_pushnumber(L, tg_clock_now() + tg_bind_seconds(L, 2));
    count = take(L, subscription);
    if (count)
        return count;
    lua_settop(L, 3);
    return tg_line_take(L, &subscription->line, 2, look_again, 0);
}

static int next_value(lua_State *L)
{
    lua_settop(L, 1); /* not the value before */
    return subscription_get(L);
}

static int subscription_values(lua_State *L)
{
    check_subscription(L);
    lua_pushcfunction(L, next_value);
    lua_pushvalue(L, 1);
    return 2;
}

static int subscription_close(lua_State *L)
{
    struct subscription *subscription = check_subscription(L);

    tg_list_remove(&subscription->link);
    if (subscription->core)
        tg_subscription_free(subscription->core);
    subscription->core = NULL;
    wake(subscription);
    return 0;
}

static int subscription_len(lua_State *L)
{
    struct subscription *subscription = check_subscription(L);

    lua_pushinteger(L, subscription->core ? (lua_Integer)tg_subscription_count(
                                                subscription->core)
                                          : 0);
    return 1;
}

void tg_subscriptions_end(struct tg_app *app)
{
    while (!tg_list_empty(&app->subscriptions)) {
        struct subscription *subscription =
            tg_list_item(app->subscriptions.next, struct subscription, link);

        tg_list_remove(&subscription->link);
        tg_subscription_end(subscription->core);
        wake(subscription);
    }
}

/* --- channels --- */

static struct tg_channel *check_channel(lua_State *L)
{
    struct tg_channel **box = luaL_checkudata(L, 1, CHANNEL);

    luaL_argcheck(L, *box, 1, "channel is closed");
    return *box;
}

static int channel_open(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    struct tg_channel **box;

    luaL_argcheck(L, strlen(name) == len, 1, "a name has no zero bytes");
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    *box = NULL; /* whole before it has a __gc */
    luaL_setmetatable(L, CHANNEL);
    *box = tg_channel_open(name);
    return 1;
}

static int channel_gc(lua_State *L)
{
    struct tg_channel **box = luaL_checkudata(L, 1, CHANNEL);

    if (*box)
        tg_channel_unref(*box);
    *box = NULL;
    return 0;
}

static int channel_publish(lua_State *L)
{
    struct tg_channel *channel = check_channel(L);
    struct tg_dict_number number;
    struct tg_dict_value value = tg_dict_check_value(L, 2, &number);
    size_t count = tg_channel_publish(channel, &value);

    tg_value_trim(L);
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

struct options {
    size_t queue;
    enum tg_channel_slow slow;
    bool tells;
};

static void check_options(lua_State *L, struct options *options)
{
    static const char *const names[] = {"queue", "slow", NULL};
    lua_Integer queue;
    const char *slow;

    *options = (struct options){.queue = QUEUE};
    tg_bind_options(L, 2, "subscribe", names);
    if (lua_isnoneornil(L, 2))
        return;
    if (lua_getfield(L, 2, "queue") != LUA_TNIL) {
        queue = lua_tointeger(L, -1); /* what is no integer is 0 */
        if (queue < 1 || queue > QUEUE_MOST)
            luaL_error(L, "option 'queue' is a number from 1 to %d",
                       QUEUE_MOST);
        options->queue = (size_t)queue;
    }
    if (lua_getfield(L, 2, "slow") == LUA_TNIL)
        return;
    slow = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    options->tells = strcmp(slow, "tell") == 0;
    if (strcmp(slow, "end") == 0)
        options->slow = TG_CHANNEL_END;
    else if (!options->tells && strcmp(slow, "drop") != 0)
        luaL_error(L, "option 'slow' is \"drop\", \"tell\" or \"end\"");
}

static int channel_subscribe(lua_State *L)
{
    struct tg_channel *channel = check_channel(L);
    struct tg_app *app = tg_state_of(L)->host;
    struct subscription *subscription;
    struct options options;

    check_options(L, &options);
    tg_bind_loop(L); /* raises while loading */
    subscription = lua_newuserdatauv(L, sizeof(*subscription), 0);
    *subscription = (struct subscription){.tells = options.tells};
    tg_list_init(&subscription->link);
    tg_line_init(&subscription->line, 0);
    subscription->line.broadcasts = true;
    luaL_setmetatable(L, SUBSCRIPTION);
    if (app->retired) /* as if it had ended at once */
        return 1;
    subscription->core = tg_subscription_new(
        channel, options.queue, options.slow, app->bell, wake, subscription);
    tg_list_append(&app->subscriptions, &subscription->link);
    return 1;
}

static const luaL_Reg channel_methods[] = {
    {"publish", channel_publish},
    {"subscribe", channel_subscribe},
    {NULL, NULL},
};

static const luaL_Reg channel_metamethods[] = {
    {"__gc", channel_gc},
    {NULL, NULL},
};

static const luaL_Reg subscription_methods[] = {
    {"get", subscription_get},
    {"values", subscription_values},
    {"close", subscription_close},
    {NULL, NULL},
};

static const luaL_Reg subscription_metamethods[] = {
    {"__gc", subscription_close},
    {"__close", subscription_close},
    {"__len", subscription_len},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", channel_open},
    {NULL, NULL},
};

int luaopen_tidegate_core_channel(lua_State *L);

int luaopen_tidegate_core_channel(lua_State *L)
{
    tg_bind_class(L, CHANNEL, channel_methods, channel_metamethods);
    tg_bind_class(L, SUBSCRIPTION, subscription_methods,
                  subscription_metamethods);
    luaL_newlib(L, functions);
    return 1;
}
