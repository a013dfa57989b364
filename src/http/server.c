// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "http/connection.h"
#include "net/timer.h"

/* Of servers that are gone: Lua states still point at them. */
static _Atomic(struct tg_exchange *) left;

/* Deadlines are whole seconds and looked at once a second: no timer for each
 * connection, no clock on the hot path. */
static void on_tick(void *arg)
{
    struct tg_server *server = arg;
    struct tg_list *link, *next;

    server->tick++;
    for (link = server->connections.next; link != &server->connections;
         link = next) {
        struct tg_connection *c =
            tg_list_item(link, struct tg_connection, link);

        next = link->next;
        if (c->deadline && c->deadline <= server->tick && !c->exchange)
            tg_connection_close(c);
    }
    server->ticker = tg_timer_start(server->loop, 1, on_tick, server);
}

struct tg_server *tg_server_new(struct tg_loop *loop,
                                const struct tg_server_hooks *hooks)
{
    struct tg_server *server = tg_alloc(sizeof(*server));

    server->loop = loop;
    server->hooks = *hooks;
    tg_list_init(&server->connections);
    tg_list_init(&server->listeners);
    server->ticker = tg_timer_start(loop, 1, on_tick, server);
    return server;
}

void tg_server_trust(struct tg_server *server,
                     const struct tg_settings *settings)
{
    tg_proxies_init(&server->proxies, settings);
}

static struct tg_listener *first_listener(struct tg_server *server)
{
    return tg_list_item(server->listeners.next, struct tg_listener, link);
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
    tg_timer_stop(server->ticker);
    while ((x = server->spare)) {
        server->spare = x->next;
        x->next = atomic_load(&left);
        while (!atomic_compare_exchange_weak(&left, &x->next, x))
            ;
    }
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

void tg_server_drain(struct tg_server *server)
{
    struct tg_list *link, *next;

    for (link = server->listeners.next; link != &server->listeners;
         link = link->next)
        tg_listener_stop(tg_list_item(link, struct tg_listener, link));
    server->draining = true;
    if (tg_list_empty(&server->connections)) {
        server->hooks.empty(server->hooks.arg);
        return;
    }
    for (link = server->connections.next; link != &server->connections;
         link = next) {
        struct tg_connection *c =
            tg_list_item(link, struct tg_connection, link);

        next = link->next;
        if (c->evcon && !c->exchange && !c->lingering &&
            (c->pending.len == 0 || c->peer.awaits_header))
            tg_connection_close(c);
    }
}
