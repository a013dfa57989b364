// SPDX-License-Identifier: MIT
/* A listening socket: evhttp accepts on it, and opens its requests. */
#include <errno.h>
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

enum { ACCEPT_FLAGS = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC };

static _Thread_local struct tg_server *own; /* the calling thread's */

static void on_pause_over(void *arg)
{
    struct tg_listener *listener = arg;

    listener->pause = NULL;
    evconnlistener_enable(listener->evlistener);
}

/* Out of descriptors, mostly: trying again at once would only spin.  The
 * argument is evhttp's, so the thread's server is found another way. */
static void on_accept_error(struct evconnlistener *evlistener, void *evhttp)
{
    struct tg_server *server = own;
    struct tg_list *link;
    int error = errno;

    (void)evhttp;
    for (link = server->listeners.next; link != &server->listeners;
         link = link->next) {
        struct tg_listener *listener =
            tg_list_item(link, struct tg_listener, link);

        if (listener->evlistener != evlistener || listener->pause)
            continue;
        if (tg_server_may_warn(&listener->warned))
            tg_log(TG_LOG_WARN, "cannot accept: %s; pausing now and then",
                   strerror(error));
        evconnlistener_disable(evlistener);
        listener->pause =
            tg_timer_start(server->loop, 0.1, on_pause_over, listener);
    }
}

static void stop_timer(struct tg_timer **timer)
{
    if (*timer)
        tg_timer_stop(*timer);
    *timer = NULL;
}

static void on_left(void *arg)
{
    struct tg_listener *listener = arg;

    listener->leaving = NULL;
    evhttp_del_accept_socket(listener->http, listener->bound);
    listener->bound = NULL;
}

/* The loop tells epoll what changed when it waits the next time.  Our master
 * holds the socket, too: closed before, it would stay in epoll for ever. */
void tg_listener_stop(struct tg_listener *listener)
{
    if (!listener->bound || listener->leaving)
        return;
    stop_timer(&listener->pause);
    evconnlistener_disable(listener->evlistener);
    listener->leaving =
        tg_timer_start(listener->server->loop, 0, on_left, listener);
}

void tg_listener_free(struct tg_listener *listener)
{
    stop_timer(&listener->pause);
    stop_timer(&listener->leaving);
    evhttp_free(listener->http); /* closes it, if it still listens */
    tg_list_remove(&listener->link);
    free(listener);
}

void tg_server_listen(struct tg_server *server, int fd,
                      const struct tg_listen *options, struct tg_tls *tls)
{
    struct event_base *base = tg_loop_base(server->loop);
    struct tg_listener *listener = tg_alloc(sizeof(*listener));

    own = server;
    listener->server = server;
    listener->options = *options;
    listener->tls = tls;
    listener->http = evhttp_new(base);
    evhttp_set_bevcb(listener->http, tg_connection_new, listener);
    evhttp_set_gencb(listener->http, tg_intake_request, server);
    listener->evlistener =
        evconnlistener_new(base, NULL, listener, ACCEPT_FLAGS, 0, fd);
    evconnlistener_set_error_cb(listener->evlistener, on_accept_error);
    listener->bound =
        evhttp_bind_listener(listener->http, listener->evlistener);
    tg_list_append(&server->listeners, &listener->link);
}
