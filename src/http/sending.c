// SPDX-License-Identifier: MIT
/* What a connection sends: at once what the socket takes, the rest as it
 * becomes writable. */
#include <errno.h>

#include <event2/event.h>

#include "http/connection.h"
#include "net/buffer.h"

enum { SKIP_MOST = 64 * 1024 /* unread content worth receiving to the end */ };

static void stop_writing(struct tg_connection *c)
{
    if (c->writing)
        event_del(&c->write);
    c->writing = false;
}

/* The client is not there any more.  Not told from here, where its own task
 * may be running, but by the next look at the socket. */
static void send_failed(struct tg_connection *c)
{
    c->broken = true;
    c->close_after = true;
    stop_writing(c);
    if (c->out)
        tg_buffer_drain(c->out, tg_buffer_len(c->out));
    event_active(&c->read, EV_READ, 0);
}

void tg_connection_send(struct tg_connection *c, const struct iovec *pieces,
                        int n)
{
    ssize_t sent = 0;
    int i;

    if (c->broken)
        return;
    if (!c->out || tg_buffer_len(c->out) == 0)
        sent = tg_stream_send(&c->stream, pieces, n);
    if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
        send_failed(c);
        return;
    }
    if (sent < 0)
        sent = 0;
    for (i = 0; i < n; i++) {
        size_t len = pieces[i].iov_len;

        if ((size_t)sent >= len) {
            sent -= (ssize_t)len;
            continue;
        }
        if (!c->out)
            c->out = tg_buffer_new();
        tg_buffer_add(c->out, (char *)pieces[i].iov_base + sent,
                      len - (size_t)sent);
        sent = 0;
    }
    if (!c->writing && c->out && tg_buffer_len(c->out)) {
        c->writing = true;
        c->went = c->server->tick;
        event_add(&c->write, NULL);
    }
}

void tg_sending_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tg_connection *c = arg;
    ssize_t sent = tg_stream_send_buffer(&c->stream, c->out);

    (void)fd, (void)what;
    if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
        tg_connection_close(c);
        return;
    }
    if (sent > 0)
        c->went = c->server->tick;
    if (tg_buffer_len(c->out) == 0) {
        stop_writing(c);
        tg_buffer_free(c->out);
        c->out = NULL;
    }
    if (!c->exchange)
        return;
    if (c->exchange->stage != TG_RESPONSE_FINISHED)
        tg_exchange_tell_drain(c->exchange);
    else if (!c->out)
        tg_connection_end_exchange(c);
}

void tg_connection_finished(struct tg_connection *c)
{
    if (c->broken || !c->out || tg_buffer_len(c->out) == 0)
        tg_connection_end_exchange(c);
}

bool tg_connection_will_close(struct tg_connection *c)
{
    struct tg_exchange *x = c->exchange;

    if (c->close_after || c->nrequests >= c->server->limits->request_limit ||
        !x->head.keep_alive || c->server->draining ||
        (c->eof && !c->pending.len))
        return true;
    return x->body.state != TG_BODY_DONE &&
           (x->expects_continue || x->head.chunked || x->body.left > SKIP_MOST);
}
