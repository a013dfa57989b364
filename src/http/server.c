// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <event2/http.h>

#include "base/alloc.h"
#include "http/connection.h"
#include "net/loop.h"
#include "net/timer.h"

/* Of servers that are gone: Lua states still point at them. */
static _Atomic(struct tg_exchange *) left;

struct tg_server *tg_server_new(struct tg_loop *loop,
                                const struct tg_limits *limits,
                                struct tg_tally *tally,
                                const struct tg_server_hooks *hooks)
{
    struct tg_server *server = tg_alloc(sizeof(*server));

    server->loop = loop;
    server->http = evhttp_new(tg_loop_base(loop));
    server->hooks = *hooks;
    server->limits = limits;
    server->head_limits = (struct tg_head_limits){
        .line = (size_t)limits->line_limit,
        .size = (size_t)limits->head_limit,
        .fields = (unsigned)limits->field_limit,
    };
    server->tally = tally;
    tg_list_init(&server->connections);
    tg_list_init(&server->listeners);
    tg_deadline_start(server);
    return server;
}

void tg_server_trust(struct tg_server *server,
                     const struct tg_settings *settings)
{
    tg_proxies_init(&server->proxies, settings);
}

void tg_server_compress(struct tg_server *server, bool compress)
{
    server->compress = compress;
}

static struct tg_listener *first_listener(struct tg_server *server)
{
    return tg_list_item(server->listeners.next, struct tg_listener, link);
}

static void stop_timer(struct tg_timer **timer)
{
    if (*timer)
        tg_timer_stop(*timer);
    *timer = NULL;
}

void tg_server_free(struct tg_server *server)
{
    struct tg_exchange *x;

    server->hooks.empty = NULL;
    while (!tg_list_empty(&server->connections)) {
        struct tg_connection *c =
            tg_list_item(server->connections.next, struct tg_connection, link);

        tg_connection_close(c);
    }
    while (!tg_list_empty(&server->listeners))
        tg_listener_free(first_listener(server));
    evhttp_free(server->http);
    tg_timer_stop(server->ticker);
    stop_timer(&server->grace);
    stop_timer(&server->leaving);
    while ((x = server->spare)) {
        server->spare = x->next;
        x->next = atomic_load(&left);
        while (!atomic_compare_exchange_weak(&left, &x->next, x))
            ;
    }
    tg_encoder_release(&server->encoders);
    tg_text_release(&server->encoded);
    tg_text_release(&server->head);
    free(server);
}

void tg_server_teardown(void)
{
    struct tg_exchange *x;

    while ((x = left)) {
        left = x->next;
        tg_exchange_free(x);
    }
}

static void close_idle(struct tg_server *server)
{
    struct tg_list *link, *next;

    for (link = server->connections.next; link != &server->connections;
         link = next) {
        struct tg_connection *c =
            tg_list_item(link, struct tg_connection, link);

        next = link->next;
        if (c->begun && !c->exchange && !c->lingering &&
            (c->pending.len == 0 || c->peer.awaits_header))
            tg_connection_close(c);
    }
}

static void on_grace(void *arg)
{
    struct tg_server *server = arg;

    server->grace = NULL;
    close_idle(server);
}

static void drain(struct tg_server *server)
{
    stop_timer(&server->grace);
    if (tg_list_empty(&server->connections))
        server->hooks.empty(server->hooks.arg);
    else if (server->grace_seconds > 0)
        server->grace = tg_timer_start(server->loop, server->grace_seconds,
                                       on_grace, server);
    else
        close_idle(server);
}

static void on_left(void *arg)
{
    struct tg_server *server = arg;
    struct tg_list *link;

    server->leaving = NULL;
    for (link = server->listeners.next; link != &server->listeners;
         link = link->next)
        tg_listener_close(tg_list_item(link, struct tg_listener, link));
    drain(server);
}

/* The loop tells epoll of what has changed when it waits the next time.  Our
 * master holds the listening sockets, too: one that is closed before that would
 * stay in epoll for ever. */
void tg_server_drain(struct tg_server *server, double grace)
{
    struct tg_list *link;
    bool is_first = !server->draining;

    server->draining = true;
    server->grace_seconds = grace;
    if (is_first) {
        for (link = server->listeners.next; link != &server->listeners;
             link = link->next)
            tg_listener_stop(tg_list_item(link, struct tg_listener, link));
        server->leaving = tg_timer_start(server->loop, 0, on_left, server);
    } else if (!server->leaving) {
        drain(server);
    }
}

bool tg_server_is_closing(const struct tg_server *server)
{
    return server->draining && !server->leaving && !server->grace;
}
