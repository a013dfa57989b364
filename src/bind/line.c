// SPDX-License-Identifier: MIT
#include "bind/line.h"

#include "bind/bind.h"
#include "net/timer.h"
#include "script/task.h"

struct place {
    struct tg_wait wait; /* first: a wait is a place */
    struct tg_list link;
    struct tg_line *line;
    struct tg_timer *timer; /* NULL: it waits any time */
    bool served;            /* has the permit, and is about to go on */
    lua_KFunction next;
    lua_KContext context;
};

void tg_line_init(struct tg_line *line, lua_Integer permits)
{
    *line = (struct tg_line){.permits = permits};
    tg_list_init(&line->waiting);
}

static void leave(struct place *place)
{
    tg_list_remove(&place->link);
    place->line->nwaiting--;
    if (place->timer)
        tg_timer_stop(place->timer);
    place->timer = NULL;
}

static void on_cancel(struct tg_wait *wait)
{
    struct place *place = (struct place *)wait;

    if (!place->served)
        leave(place);
    else if (!place->line->broadcasts)
        tg_line_give(place->line);
}

static void on_time(void *arg)
{
    struct place *place = arg;

    place->timer = NULL;
    leave(place);
    tg_wait_wake(&place->wait);
}

/* The place is on top. */
static int go_on(lua_State *L, int status, lua_KContext context)
{
    struct place *place = lua_touserdata(L, -1);

    (void)context;
    lua_pushboolean(L, place->served);
    lua_remove(L, -2);
    return place->next(L, status, place->context);
}

int tg_line_take(lua_State *L, struct tg_line *line, int seconds,
                 lua_KFunction next, lua_KContext context)
{
    struct place *place;
    lua_Number time = 0;

    if (!lua_isnoneornil(L, seconds))
        time = tg_bind_seconds(L, seconds);
    if (line->permits > 0) {
        line->permits--;
        lua_pushboolean(L, 1);
        return next(L, LUA_OK, context);
    }
    tg_wait_check(L);
    place = lua_newuserdatauv(L, sizeof(*place), 0);
    *place = (struct place){.wait.cancel = on_cancel,
                            .line = line,
                            .next = next,
                            .context = context};
    if (!lua_isnoneornil(L, seconds))
        place->timer = tg_timer_start(tg_bind_loop(L), time, on_time, place);
    tg_list_append(&line->waiting, &place->link);
    line->nwaiting++;
    return tg_wait_park(L, &place->wait, go_on, 0);
}

void tg_line_give(struct tg_line *line)
{
    struct place *place;

    if (tg_list_empty(&line->waiting)) {
        line->permits++;
        return;
    }
    place = tg_list_item(line->waiting.next, struct place, link);
    leave(place);
    place->served = true;
    tg_wait_ready(&place->wait);
}
