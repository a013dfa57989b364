// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/alloc.h"
#include "base/log.h"
#include "http/connection.h"
#include "net/loop.h"
#include "net/timer.h"

struct listener {
    struct tg_list link;
    struct tg_server *server;
    struct evhttp_bound_socket *bound;
    struct evconnlistener *evlistener;
    struct tg_timer *pause;
};

static _Thread_local struct tg_server *own; /* the calling thread's */

/* Of servers that are gone: Lua states still point at them. */
static _Atomic(struct tg_exchange *) left;

/* evhttp's general callback: the request that connection.c has just let in.
 * A status that is set already is framing's refusal. */
static void on_request(struct evhttp_request *request, void *arg)
{
    struct tg_server *server = arg;
    struct tg_connection *c = server->entering;

    c->request = request;
    if (c->exchange->status)
        tg_connection_refuse(c, c->exchange->status);
    else
        server->hooks.serve(c->exchange, server->hooks.arg);
}

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

    own = server;
    server->loop = loop;
    server->hooks = *hooks;
    tg_list_init(&server->connections);
    tg_list_init(&server->listeners);
    server->http = evhttp_new(tg_loop_base(loop));
    evhttp_set_bevcb(server->http, tg_connection_new, server);
    evhttp_set_gencb(server->http, on_request, server);
    server->ticker = tg_timer_start(loop, 1, on_tick, server);
    return server;
}

static void remove_listener(struct listener *listener)
{
    if (listener->pause)
        tg_timer_stop(listener->pause);
    evhttp_del_accept_socket(listener->server->http, listener->bound);
    tg_list_remove(&listener->link);
    free(listener);
}

static void stop_listening(struct tg_server *server)
{
    while (!tg_list_empty(&server->listeners))
        remove_listener(
            tg_list_item(server->listeners.next, struct listener, link));
}

void tg_server_free(struct tg_server *server)
{
    struct tg_exchange *x;

    server->hooks.empty = NULL;
    stop_listening(server);
    while (!tg_list_empty(&server->connections)) {
        struct tg_connection *c =
            tg_list_item(server->connections.next, struct tg_connection, link);

        tg_connection_close(c);
    }
    evhttp_free(server->http);
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

static void on_pause_over(void *arg)
{
    struct listener *listener = arg;

    listener->pause = NULL;
    evconnlistener_enable(listener->evlistener);
}

/* Out of descriptors, mostly: trying again at once would only spin.  The
 * argument is evhttp's, so the thread's server is found another way. */
static void on_accept_error(struct evconnlistener *evlistener, void *evhttp)
{
    struct tg_server *server = own;
    struct tg_list *link;

    (void)evhttp;
    tg_log(TG_LOG_WARN, "cannot accept: %s; pausing for a moment",
           strerror(errno));
    for (link = server->listeners.next; link != &server->listeners;
         link = link->next) {
        struct listener *listener = tg_list_item(link, struct listener, link);

        if (listener->evlistener != evlistener || listener->pause)
            continue;
        evconnlistener_disable(evlistener);
        listener->pause =
            tg_timer_start(server->loop, 0.1, on_pause_over, listener);
    }
}

void tg_server_listen(struct tg_server *server, int fd)
{
    struct listener *listener = tg_alloc(sizeof(*listener));

    listener->server = server;
    listener->evlistener = evconnlistener_new(
        tg_loop_base(server->loop), NULL, server,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    evconnlistener_set_error_cb(listener->evlistener, on_accept_error);
    listener->bound = evhttp_bind_listener(server->http, listener->evlistener);
    tg_list_append(&server->listeners, &listener->link);
}

void tg_server_drain(struct tg_server *server)
{
    struct tg_list *link, *next;

    stop_listening(server);
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
        if (c->evcon && !c->exchange && !c->lingering && c->pending.len == 0)
            tg_connection_close(c);
    }
}
