// SPDX-License-Identifier: MIT
/* What an upstream receives, and what happens to it. */
#include "http/upstream_parts.h"

#include <errno.h>

#include "base/scratch.h"
#include "net/buffer.h"

enum {
    CONTENT_HIGH = 256 * 1024, /* content nobody took that stops receiving */
    SCRATCH = 64 * 1024,
    INTERIM_MOST = 16, /* responses 1xx before the one that counts */
    KEEP_MOST = 3600
};

static const struct tg_head_limits limits = {8 * 1024, 64 * 1024,
                                             TG_HEAD_FIELDS};

void tg_upstream_flow(struct tg_upstream *u)
{
    bool over = u->state == TG_UPSTREAM_FAILED ||
                (u->state == TG_UPSTREAM_DONE && u->is_dirty);
    bool wants_write = !over && tg_stream_wants_write(&u->stream);
    bool read =
        !over && !wants_write && tg_buffer_len(u->content) < CONTENT_HIGH;
    bool write =
        wants_write || (!over && !u->is_deaf && tg_buffer_len(u->out) > 0 &&
                        !tg_stream_wants_read(&u->stream));

    if (read && !u->reading)
        event_add(&u->read, NULL);
    else if (!read && u->reading)
        event_del(&u->read);
    u->reading = read;
    if (read && tg_stream_is_buffered(&u->stream))
        event_active(&u->read, EV_READ, 0);
    if (write && !u->writing)
        event_add(&u->write, NULL);
    else if (!write && u->writing)
        event_del(&u->write);
    u->writing = write;
}

/* The last thing an event does: the watcher may free the upstream. */
static void tell(struct tg_upstream *u)
{
    tg_upstream_fn *fn = u->fn;

    tg_upstream_flow(u);
    u->fn = NULL;
    if (fn)
        fn(u->arg);
}

static void fail(struct tg_upstream *u, const char *code, const char *message)
{
    if (u->state == TG_UPSTREAM_FAILED)
        return;
    u->state = TG_UPSTREAM_FAILED;
    u->code = code;
    u->message = message;
}

/* --- receiving --- */

static void complete(struct tg_upstream *u)
{
    u->state = TG_UPSTREAM_DONE;
    if (!u->is_sent || tg_buffer_len(u->out))
        u->is_dirty = true; /* the rest would be taken for a request */
}

static size_t take_interim(struct tg_upstream *u, size_t len)
{
    u->scanned = 0;
    if (++u->interim > INTERIM_MOST)
        fail(u, "malformed", "too many interim responses");
    return len;
}

static size_t feed_head(struct tg_upstream *u, const char *data, size_t len)
{
    struct tg_head head;
    ssize_t n = tg_head_parse_response(&head, data, len, &u->scanned, &limits);

    if (n < 0) {
        fail(u, n == -431 ? "too large" : "malformed",
             n == -431 ? "the head of the response is too large"
                       : "the head of the response is malformed");
        return len;
    }
    if (n == 0)
        return 0;
    if (head.status < 200)
        return take_interim(u, (size_t)n);
    tg_upstream_head_read(&u->head, &head, data);
    u->keep = head.keep_alive ? tg_upstream_head_keep(&u->head, KEEP_MOST) : 0;
    tg_body_respond(&u->body, &head, u->is_head);
    if (u->body.state == TG_BODY_CLOSE)
        u->is_dirty = true;
    u->state = TG_UPSTREAM_CONTENT;
    if (u->body.state == TG_BODY_DONE)
        complete(u);
    return (size_t)n;
}

static size_t feed_content(struct tg_upstream *u, const char *data, size_t len)
{
    struct tg_run run;
    ssize_t n = tg_body_decode(&u->body, data, len, &run);

    if (n < 0) {
        fail(u, "malformed", "the content of the response is malformed");
        return len;
    }
    if (run.kind == TG_RUN_DATA)
        tg_buffer_add(u->content, run.at, run.len);
    else if (run.kind == TG_RUN_TRAILERS)
        tg_text_add(&u->trailers, run.at, run.len);
    if (u->body.state == TG_BODY_DONE)
        complete(u);
    return (size_t)n;
}

/* One step; returns the bytes used, 0 when it takes more of them. */
static size_t feed_step(struct tg_upstream *u, const char *data, size_t len)
{
    switch (u->state) {
    case TG_UPSTREAM_ASKED:
        u->has_answered = true;
        return feed_head(u, data, len);
    case TG_UPSTREAM_CONTENT:
        return feed_content(u, data, len);
    default:
        u->is_dirty = true; /* nobody has asked for this */
        return len;
    }
}

static void feed(struct tg_upstream *u, const char *data, size_t len)
{
    size_t used = 0, n;

    while (used < len && (n = feed_step(u, data + used, len - used)) > 0)
        used += n;
    if (data == u->in.data)
        tg_text_drain(&u->in, used);
    else if (used < len)
        tg_text_add(&u->in, data + used, len - used);
}

static void end(struct tg_upstream *u)
{
    u->is_dirty = true;
    if (u->state == TG_UPSTREAM_ASKED)
        fail(u, "closed",
             u->has_answered ? "the connection ended within the response"
                             : "the connection ended before any response");
    else if (u->state == TG_UPSTREAM_CONTENT && u->body.state != TG_BODY_CLOSE)
        fail(u, "closed", "the connection ended within the response");
    else if (u->state == TG_UPSTREAM_CONTENT)
        complete(u);
}

static void break_off(struct tg_upstream *u, ssize_t error)
{
    const char *why = tg_stream_failure(&u->stream);

    u->is_dirty = true;
    if (u->state == TG_UPSTREAM_DONE)
        return;
    if (why)
        fail(u, "tls", why);
    else if (error == -ESHUTDOWN)
        fail(u, "closed", "the connection ended without TLS saying so");
    else if (error == -ETIMEDOUT)
        fail(u, "timeout", "the connection timed out");
    else
        fail(u, "closed", "the connection was reset");
}

/* No more than TG_UPSTREAM_SEND bytes in a turn: who receives as fast as we
 * send would keep us from all else. */
static ssize_t send_some(struct tg_upstream *u)
{
    struct iovec pieces[16];
    int i, n = tg_buffer_pieces(u->out, pieces, 16);
    size_t room = TG_UPSTREAM_SEND;
    ssize_t sent;

    for (i = 0; i < n && room > 0; i++) {
        if (pieces[i].iov_len > room)
            pieces[i].iov_len = room;
        room -= pieces[i].iov_len;
    }
    sent = tg_stream_send(&u->stream, pieces, i);
    if (sent > 0)
        tg_buffer_drain(u->out, (size_t)sent);
    return sent;
}

void tg_upstream_flush(struct tg_upstream *u)
{
    ssize_t n;

    if (u->is_deaf || tg_buffer_len(u->out) == 0)
        return;
    n = send_some(u);
    if (n >= 0 || n == -EAGAIN || n == -EINTR)
        return;
    /* What the origin said before it closed may still be there to be read. */
    u->is_deaf = u->is_dirty = true;
    if (tg_stream_failure(&u->stream))
        break_off(u, n);
}

/* Nothing is to come between requests. */
static void lose(struct tg_upstream *u)
{
    u->is_dirty = true;
    fail(u, "closed", "the connection ended before any response");
    tg_upstream_flow(u);
    u->lost(u->lost_arg);
}

void tg_upstream_shake(struct tg_upstream *u)
{
    int error = tg_stream_handshake(&u->stream);

    if (error == 0)
        u->state = TG_UPSTREAM_IDLE;
    else if (error != -EAGAIN)
        break_off(u, error);
}

static void on_opening(struct tg_upstream *u)
{
    tg_upstream_shake(u);
    if (u->state == TG_UPSTREAM_OPENING)
        tg_upstream_flow(u);
    else
        tell(u);
}

void tg_upstream_readable(evutil_socket_t fd, short what, void *arg)
{
    static _Thread_local struct tg_scratch scratch;
    char *room = tg_scratch_room(&scratch, SCRATCH);
    struct tg_upstream *u = arg;
    ssize_t n;

    (void)fd, (void)what;
    if (u->state == TG_UPSTREAM_OPENING) {
        on_opening(u);
        return;
    }
    n = tg_stream_recv(&u->stream, room, SCRATCH);
    if (n == -EAGAIN || n == -EINTR) {
        tg_upstream_flush(u); /* a handshake may be over */
        tg_upstream_flow(u);
        if (u->state == TG_UPSTREAM_FAILED)
            tell(u);
        return;
    }
    if (u->state == TG_UPSTREAM_IDLE) {
        lose(u);
        return;
    }
    if (n < 0) {
        break_off(u, n);
    } else if (n == 0) {
        end(u);
    } else if (u->in.len) {
        tg_text_add(&u->in, room, (size_t)n);
        feed(u, u->in.data, u->in.len);
    } else {
        feed(u, room, (size_t)n);
    }
    tell(u);
}

void tg_upstream_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tg_upstream *u = arg;

    (void)fd, (void)what;
    u->writing = false;
    if (u->state == TG_UPSTREAM_OPENING || tg_stream_wants_write(&u->stream)) {
        tg_upstream_readable(fd, what, u);
        return;
    }
    tg_upstream_flush(u);
    tell(u);
}
