// SPDX-License-Identifier: MIT
/* What a connection receives: bytes become heads and content, each head begins
 * an exchange, and a client that left is noticed. */
#include "http/connection.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "http/redirect.h"
#include "http/status.h"
#include "net/buffer.h"
#include "net/timer.h"

enum {
    CONTENT_HIGH = 256 * 1024, /* unread content that stops receiving */
    PIPELINE_HIGH = 64 * 1024  /* requests that wait for their turn */
};

void tg_connection_flow(struct tg_connection *c)
{
    struct tg_exchange *x = c->exchange;
    bool want = !c->eof && !c->dead && !tg_stream_wants_write(&c->stream);

    if (c->busy)
        return; /* feed() asks again when it is done */
    if (x && !c->lingering) {
        if (x->body.state == TG_BODY_DONE)
            want = want && c->pending.len < PIPELINE_HIGH;
        else if (x->content && !x->too_large)
            want = want && tg_buffer_len(x->content) < CONTENT_HIGH;
    }
    if (want && !c->reading)
        event_add(&c->read, NULL);
    else if (!want && c->reading)
        event_del(&c->read);
    c->reading = want;
    if (want && tg_stream_is_buffered(&c->stream))
        event_active(&c->read, EV_READ, 0);
    if (tg_stream_wants_write(&c->stream) && !c->writing) {
        c->writing = true;
        event_add(&c->write, NULL);
    }
}

void tg_connection_refuse(struct tg_connection *c, int status)
{
    struct tg_exchange *x = c->exchange;
    struct tg_text body = {0};

    x->head.keep_alive = false;
    c->close_after = true;
    c->refused = true;
    tg_text_addf(&body, "%d %s\n", status, tg_status_reason(status));
    if (c->is_plain)
        tg_text_adds(&body, "this port speaks HTTPS: begin the address with "
                            "https://\n");
    tg_exchange_respond(x, status, "text/plain; charset=utf-8", body.data,
                        body.len);
    tg_text_release(&body);
}

/* A status that is set already is framing's refusal. */
static void serve(struct tg_connection *c)
{
    const struct tg_server_hooks *hooks = &c->server->hooks;
    const char *https = c->listener->options.redirect_https;

    if (c->exchange->status)
        tg_connection_refuse(c, c->exchange->status);
    else if (https)
        tg_redirect_answer(c->exchange, https);
    else
        hooks->serve(c->exchange, hooks->arg);
}

static void take_exchange(struct tg_connection *c, struct tg_exchange *x,
                          const char *data, size_t len)
{
    c->exchange = x;
    c->scanned = 0;
    c->head_begun = false;
    c->nrequests++;
    tg_connection_deadline(c, 0);
    tg_exchange_open(x, c, data, len);
}

/* A head that is refused has no bytes to point at: it becomes an empty one. */
static void refuse_head(struct tg_connection *c, struct tg_exchange *x,
                        int status)
{
    x->head = (struct tg_head){.content_length = -1, .minor = 1};
    take_exchange(c, x, "", 0);
    x->status = status;
    serve(c);
}

/* Takes one head, and what has come of its content, from the bytes. */
static size_t feed_head(struct tg_connection *c, const char *data, size_t len)
{
    struct tg_exchange *x = tg_exchange_take(c->server);
    ssize_t n = c->is_plain ? -400
                            : tg_head_parse(&x->head, data, len, &c->scanned,
                                            &c->server->head_limits);
    ssize_t more;

    if (n == 0) {
        if (!c->head_begun)
            tg_connection_deadline(c, c->server->ticks.head);
        c->head_begun = true;
        tg_exchange_put(c->server, x);
        return 0;
    }
    if (n < 0) {
        refuse_head(c, x, (int)-n);
        return len;
    }
    take_exchange(c, x, data, (size_t)n);
    more = tg_exchange_feed(x, data + n, len - (size_t)n);
    if (more < 0)
        x->status = (int)-more;
    c->rest = more < 0 ? 0 : len - (size_t)(n + more);
    serve(c);
    c->rest = 0;
    return more < 0 ? len : (size_t)(n + more);
}

void tg_connection_head_late(struct tg_connection *c)
{
    if (c->head_begun)
        refuse_head(c, tg_exchange_take(c->server), 408);
    else
        tg_connection_close(c);
}

void tg_connection_cut(struct tg_connection *c, int status)
{
    struct tg_exchange *x = c->exchange;

    tg_exchange_tell_gone(x);
    if (c->exchange != x)
        return;
    if (x->stage == TG_RESPONSE_OPEN)
        tg_connection_refuse(c, status);
    else
        tg_exchange_abort(x);
}

static size_t feed_content(struct tg_connection *c, const char *data,
                           size_t len)
{
    struct tg_exchange *x = c->exchange;
    ssize_t n = tg_exchange_feed(x, data, len);

    if (n < 0) {
        tg_connection_cut(c, (int)-n);
        return len;
    }
    tg_exchange_tell_content(x);
    return (size_t)n;
}

static size_t feed_skip(struct tg_connection *c, size_t len)
{
    size_t n = len < c->skip ? len : (size_t)c->skip;

    c->skip -= n;
    return n;
}

/* One step; returns the bytes used, 0 when it cannot go on. */
static size_t feed_step(struct tg_connection *c, const char *data, size_t len)
{
    if (c->dead || c->lingering)
        return len;
    if (c->exchange)
        return c->exchange->body.state == TG_BODY_DONE
                   ? 0
                   : feed_content(c, data, len);
    return c->skip ? feed_skip(c, len) : feed_head(c, data, len);
}

/* Uses as many of the bytes as can be, and keeps the others in `pending`;
 * `data` may be what is pending already. */
static void feed(struct tg_connection *c, const char *data, size_t len)
{
    size_t used = 0, n;

    c->busy = true;
    while (used < len && (n = feed_step(c, data + used, len - used)) > 0)
        used += n;
    c->busy = false;
    if (c->eof && !c->exchange) /* what is left will never be whole */
        c->dead = true;
    if (c->dead) {
        tg_connection_free(c);
        return;
    }
    if (data == c->pending.data)
        tg_text_drain(&c->pending, used);
    else if (used < len)
        tg_text_add(&c->pending, data + used, len - used);
    if (c->pending.len == 0 && c->pending.cap)
        tg_text_release(&c->pending);
    tg_connection_flow(c);
}

/* --- half-closed clients --- */

/*
 * After a FIN nobody can tell a client that left from one that only finished
 * sending, unless something is sent: the one that left answers with a reset.
 * An interim response may be sent to any HTTP/1.1 client (RFC 9110, 15.2).
 */
static void on_probe(void *arg)
{
    static char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
    struct iovec piece = {interim, sizeof(interim) - 1};
    struct tg_connection *c = arg;
    struct tg_exchange *x = c->exchange;

    c->timer = NULL;
    if (!x || x->stage == TG_RESPONSE_FINISHED)
        return;
    if (tg_stream_is_hung_up(&c->stream)) {
        tg_connection_close(c);
        return;
    }
    if (x->stage == TG_RESPONSE_OPEN && x->head.minor > 0 &&
        !x->expects_continue) {
        tg_connection_send(c, &piece, 1);
        x->expects_continue = true; /* asked once; no 100 is due any more */
    }
    c->timer = tg_timer_start(c->server->loop, 1, on_probe, c);
}

static void on_eof(struct tg_connection *c)
{
    struct tg_exchange *x = c->exchange;

    c->eof = true;
    if (c->lingering || !x || x->body.state != TG_BODY_DONE ||
        tg_stream_is_hung_up(&c->stream)) {
        tg_connection_close(c);
        return;
    }
    tg_connection_flow(c);
    c->timer = tg_timer_start(c->server->loop, 0.05, on_probe, c);
}

/* Has the PROXY header come whole?  If not, the connection may be gone. */
static bool take_header(struct tg_connection *c)
{
    int error = tg_peer_receive(c);

    if (error < 0 && error != -EAGAIN)
        tg_connection_close(c);
    return error == 0 && tg_connection_count(c);
}

static void receive(struct tg_connection *c)
{
    char *room = c->server->scratch;
    ssize_t n;

    if (c->peer.awaits_header && !take_header(c))
        return;
    n = tg_stream_recv(&c->stream, room, sizeof(c->server->scratch));
    if ((n == -EAGAIN || n == -EINTR) && !c->broken) {
        if (c->stream.tls)
            tg_connection_flow(c);
        return;
    }
    c->came = c->server->tick;
    c->emptied = n < (ssize_t)sizeof(c->server->scratch);
    if (n == -EPROTOTYPE) { /* what it sent is still there to be read */
        tg_stream_stop_tls(&c->stream);
        c->is_plain = true;
    } else if (n == -EPROTO && !c->exchange && !c->broken) {
        tg_connection_linger(c); /* or it would miss our alert */
    } else if (n < 0 || c->broken) {
        tg_connection_close(c);
    } else if (n == 0) {
        on_eof(c);
    } else if (c->pending.len) {
        tg_text_add(&c->pending, room, (size_t)n);
        feed(c, c->pending.data, c->pending.len);
    } else {
        feed(c, room, (size_t)n);
    }
}

void tg_intake_event(evutil_socket_t fd, short what, void *arg)
{
    struct tg_connection *c = arg;

    (void)fd;
    if (what & EV_TIMEOUT && !c->begun) {
        tg_connection_begin(c);
    } else if (what & EV_TIMEOUT && c->pending.len && !c->exchange) {
        if (what & EV_READ) /* the event may not live to do both */
            event_active(&c->read, EV_READ, 0);
        feed(c, c->pending.data, c->pending.len);
    } else if (what & EV_READ) {
        receive(c);
    }
}
