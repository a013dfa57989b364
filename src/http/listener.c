// SPDX-License-Identifier: MIT
/* A listening socket: evhttp has it, and what it accepts becomes ours. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/log.h"
#include "http/connection.h"
#include "net/loop.h"
#include "net/socket_name.h"
#include "net/timer.h"

enum { ACCEPT_FLAGS = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC };

static void on_pause_over(void *arg)
{
    struct tg_listener *listener = arg;

    listener->pause = NULL;
    evconnlistener_enable(listener->evlistener);
}

/* Out of descriptors, mostly: trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *evlistener, void *arg)
{
    struct tg_listener *listener = arg;
    int error = errno;

    if (listener->pause)
        return;
    if (tg_server_may_warn(&listener->warned))
        tg_log(TG_LOG_WARN, "cannot accept: %s; pausing now and then",
               strerror(error));
    evconnlistener_disable(evlistener);
    listener->pause =
        tg_timer_start(listener->server->loop, 0.1, on_pause_over, listener);
}

static void on_accepted(struct evconnlistener *evlistener, evutil_socket_t fd,
                        struct sockaddr *name, int len, void *arg)
{
    struct tg_address peer;

    (void)evlistener, (void)len;
    tg_socket_name_read(name, &peer);
    tg_connection_new(arg, (int)fd, &peer);
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
    evhttp_del_accept_socket(listener->server->http, listener->bound);
    listener->bound = NULL;
}

void tg_listener_free(struct tg_listener *listener)
{
    if (listener->pause)
        tg_timer_stop(listener->pause);
    if (listener->bound)
        tg_listener_close(listener);
    tg_list_remove(&listener->link);
    free(listener);
}

void tg_server_listen(struct tg_server *server, int fd,
                      const struct tg_listen *options, struct tg_tls *tls)
{
    struct tg_listener *listener = tg_alloc(sizeof(*listener));

    listener->server = server;
    listener->options = *options;
    listener->tls = tls;
    listener->evlistener = evconnlistener_new(tg_loop_base(server->loop), NULL,
                                              NULL, ACCEPT_FLAGS, 0, fd);
    listener->bound = evhttp_bind_listener(server->http, listener->evlistener);
    evconnlistener_set_cb(listener->evlistener, on_accepted, listener);
    evconnlistener_set_error_cb(listener->evlistener, on_accept_error);
    tg_list_append(&server->listeners, &listener->link);
}
