// SPDX-License-Identifier: MIT
/* A connection's beginning and end.  What it receives is in intake.c, what it
 * sends in sending.c. */
#include "http/connection.h"

#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/alloc.h"
#include "base/census.h"
#include "net/buffer.h"
#include "net/loop.h"
#include "net/source.h"
#include "net/timer.h"
#include "net/tls.h"

enum { LINGER_SECONDS = 2 };

static void stop_timer(struct tg_connection *c)
{
    if (c->timer)
        tg_timer_stop(c->timer);
    c->timer = NULL;
}

void tg_connection_deadline(struct tg_connection *c, unsigned ticks)
{
    c->deadline = ticks ? c->server->tick + ticks : 0;
}

/* --- the end --- */

static void forget(struct tg_connection *c)
{
    struct tg_server *server = c->server;

    if (server->next_look == &c->link)
        server->next_look = c->link.next;
    tg_list_remove(&c->link);
    server->nconnections--;
    tg_census.connections--;
    free(c);
    if (server->draining && !server->leaving &&
        tg_list_empty(&server->connections) && server->hooks.empty)
        server->hooks.empty(server->hooks.arg);
}

void tg_connection_free(struct tg_connection *c)
{
    int fd = c->stream.fd;

    tg_connection_leave(c);
    event_del(&c->read);
    event_del(&c->write);
    event_debug_unassign(&c->read);
    event_debug_unassign(&c->write);
    stop_timer(c);
    tg_stream_release(&c->stream);
    close(fd);
    if (c->out)
        tg_buffer_free(c->out);
    tg_text_release(&c->pending);
    forget(c);
}

static void release_exchange(struct tg_connection *c)
{
    struct tg_exchange *x = c->exchange;

    if (c->server->hooks.over)
        c->server->hooks.over(x, x->sent, c->server->hooks.arg);
    c->exchange = NULL;
    if (c->file)
        tg_source_free(c->file);
    c->file = NULL;
    tg_exchange_put(c->server, x);
}

void tg_connection_close(struct tg_connection *c)
{
    c->broken = true;
    if (c->exchange) {
        tg_stream_break(&c->stream);
        tg_exchange_tell_gone(c->exchange);
        release_exchange(c);
    }
    c->dead = true;
    if (!c->busy)
        tg_connection_free(c);
}

static void on_linger_end(void *arg)
{
    struct tg_connection *c = arg;

    c->timer = NULL;
    tg_connection_close(c);
}

/* The client may still be sending: it would lose our response to a reset, if
 * we closed before it has read that (RFC 9112, 9.6). */
void tg_connection_linger(struct tg_connection *c)
{
    c->lingering = true;
    tg_stream_end(&c->stream);
    stop_timer(c);
    c->timer =
        tg_timer_start(c->server->loop, LINGER_SECONDS, on_linger_end, c);
    tg_connection_flow(c);
}

/* Is there anything from the client that nobody will read?  One that has said
 * it sends no more is believed (RFC 9112, 9.6); not so with HTTP/1.0, where
 * line ends behind content were usual (2.2). */
static bool is_more_there(const struct tg_connection *c, bool is_last)
{
    if (c->pending.len || c->rest)
        return true;
    return !(is_last && c->emptied && !c->stream.tls) &&
           tg_stream_has_more(&c->stream);
}

void tg_connection_end_exchange(struct tg_connection *c)
{
    struct tg_exchange *x = c->exchange;
    bool unread = x->body.state != TG_BODY_DONE;
    bool is_last = !x->head.keep_alive && x->head.minor > 0;

    if (unread && !c->close_after)
        c->skip = x->body.left;
    release_exchange(c);
    if (c->close_after || tg_server_is_closing(c->server) ||
        (c->eof && !c->pending.len)) {
        if (!c->eof && !c->broken &&
            (unread || c->refused || is_more_there(c, is_last)))
            tg_connection_linger(c);
        else
            tg_connection_close(c);
        return;
    }
    tg_connection_deadline(c, c->server->ticks.idle);
    if (!c->busy) {
        tg_connection_flow(c);
        if (c->pending.len) /* not from here: a task may be running */
            event_active(&c->read, EV_TIMEOUT, 0);
    }
}

/* --- the beginning --- */

/* The first head is often there already. */
static void receive_first(struct tg_connection *c)
{
    tg_connection_flow(c);
    tg_intake_event(c->stream.fd, EV_READ, c);
}

void tg_connection_begin(struct tg_connection *c)
{
    c->begun = true;
    if (c->listener->tls)
        tg_stream_start_tls(&c->stream, tg_tls_current(c->listener->tls));
    tg_connection_deadline(c, c->server->ticks.head);
    if (!tg_peer_begin(c))
        tg_connection_close(c);
    else if (tg_connection_admit(c))
        receive_first(c);
}

void tg_connection_new(struct tg_listener *listener, int fd,
                       const struct tg_address *peer)
{
    struct tg_server *server = listener->server;
    struct event_base *base = tg_loop_base(server->loop);
    struct tg_connection *c = tg_alloc(sizeof(*c));

    c->server = server;
    c->listener = listener;
    c->peer.socket = c->peer.address = *peer;
    tg_stream_init(&c->stream, fd);
    tg_list_append(&server->connections, &c->link);
    server->nconnections++;
    tg_census.connections++;
    event_assign(&c->read, base, fd, EV_READ | EV_PERSIST, tg_intake_event, c);
    event_assign(&c->write, base, fd, EV_WRITE | EV_PERSIST,
                 tg_sending_writable, c);
    event_active(&c->read, EV_TIMEOUT, 0);
}
