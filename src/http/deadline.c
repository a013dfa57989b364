// SPDX-License-Identifier: MIT
/*
 * Deadlines.  They are told in ticks and looked at once a tick, all of them:
 * no connection has a timer of its own, and the hot path looks at no clock.
 */
#include <math.h>

#include "base/settings.h"
#include "http/connection.h"
#include "net/timer.h"

static bool is_over(const struct tg_connection *c, unsigned since,
                    unsigned ticks)
{
    return c->server->tick - since >= ticks;
}

/* A client that takes nothing of its response. */
static bool is_stalled(const struct tg_connection *c)
{
    return c->writing && !tg_connection_is_drained(c) &&
           is_over(c, c->went, c->server->ticks.write);
}

/* A client that sends nothing of the content its handler waits for. */
static bool is_silent(const struct tg_connection *c)
{
    return c->exchange->on_content && c->reading &&
           c->exchange->body.state != TG_BODY_DONE &&
           is_over(c, c->came, c->server->ticks.body);
}

/* A handler that does not begin its response. */
static bool is_late(const struct tg_connection *c)
{
    const struct tg_exchange *x = c->exchange;

    return x->stage == TG_RESPONSE_OPEN && !x->on_content &&
           is_over(c, x->since, x->wait);
}

static void look_at(struct tg_connection *c)
{
    if (!c->begun || c->lingering)
        return; /* not begun; or it has a timer */
    if (!c->exchange) {
        if (c->deadline && c->deadline <= c->server->tick)
            tg_connection_head_late(c);
    } else if (is_stalled(c)) {
        tg_exchange_abort(c->exchange);
    } else if (is_silent(c)) {
        tg_connection_cut(c, 408);
    } else if (is_late(c)) {
        tg_exchange_tell_late(c->exchange);
    }
}

static void on_tick(void *arg)
{
    struct tg_server *server = arg;
    struct tg_list *link = server->connections.next;

    server->tick++;
    for (; link != &server->connections; link = server->next_look) {
        server->next_look = link->next; /* moves on if that one ends */
        look_at(tg_list_item(link, struct tg_connection, link));
    }
    server->next_look = NULL;
    server->ticker =
        tg_timer_start(server->loop, server->tick_seconds, on_tick, server);
}

/* At least that long: the tick that runs now is not a whole one. */
unsigned tg_deadline_ticks(const struct tg_server *server, double seconds)
{
    double ticks = ceil(seconds / server->tick_seconds) + 1;

    return ticks < INT32_MAX ? (unsigned)ticks : INT32_MAX;
}

void tg_deadline_start(struct tg_server *server)
{
    const struct tg_limits *limits = server->limits;
    double least = fmin(fmin(limits->head_timeout, limits->body_timeout),
                        fmin(limits->idle_timeout, limits->write_timeout));

    least = fmin(least, limits->wait_timeout);
    server->tick_seconds = fmax(0.05, fmin(1, least / 4));
    server->ticks.head = tg_deadline_ticks(server, limits->head_timeout);
    server->ticks.body = tg_deadline_ticks(server, limits->body_timeout);
    server->ticks.idle = tg_deadline_ticks(server, limits->idle_timeout);
    server->ticks.write = tg_deadline_ticks(server, limits->write_timeout);
    server->ticks.wait = tg_deadline_ticks(server, limits->wait_timeout);
    server->ticker =
        tg_timer_start(server->loop, server->tick_seconds, on_tick, server);
}
