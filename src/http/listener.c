// SPDX-License-Identifier: MIT
/* A listening socket: evhttp accepts on it. */
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

void tg_listener_stop(struct tg_listener *listener)
{
    if (listener->pause)
        tg_timer_stop(listener->pause);
    listener->pause = NULL;
    evconnlistener_disable(listener->evlistener);
}

void tg_listener_close(struct tg_listener *listener)
{
    evhttp_del_accept_socket(listener->http, listener->bound);
}

void tg_listener_free(struct tg_listener *listener)
{
    if (listener->pause)
        tg_timer_stop(listener->pause);
    evhttp_free(listener->http); /* closes it, if that is not done */
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
    listener->evlistener =
        evconnlistener_new(base, NULL, listener, ACCEPT_FLAGS, 0, fd);
    evconnlistener_set_error_cb(listener->evlistener, on_accept_error);
    listener->bound =
        evhttp_bind_listener(listener->http, listener->evlistener);
    tg_list_append(&server->listeners, &listener->link);
}
