// SPDX-License-Identifier: MIT
#include "http/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/alloc.h"
#include "base/census.h"
#include "http/framing.h"
#include "http/upstream_head.h"
#include "net/buffer.h"
#include "net/loop.h"
#include "net/stream.h"

enum {
    CONTENT_HIGH = 256 * 1024, /* content nobody took that stops receiving */
    SCRATCH = 64 * 1024,
    SEND_MOST = 256 * 1024,
    INTERIM_MOST = 16, /* responses 1xx before the one that counts */
    KEEP_MOST = 3600
};

static const struct tg_head_limits limits = {8 * 1024, 64 * 1024,
                                             TG_HEAD_FIELDS};

struct tg_upstream {
    struct tg_stream stream;
    struct event read, write;
    bool reading, writing;
    tg_upstream_fn *lost;
    void *lost_arg;

    enum tg_upstream_state state;
    const char *code, *message; /* of its failure */
    bool is_head;               /* of the request */
    bool is_sent;               /* the request is whole */
    bool is_deaf;               /* the origin takes no more of it */
    bool was_used;              /* by an earlier request */
    bool has_answered;          /* a byte of the response has come */
    bool is_dirty;              /* it cannot be used again */
    unsigned interim;

    struct tg_text in; /* that is not whole enough to be used */
    size_t scanned;
    struct tg_body body;
    struct tg_upstream_head head;
    double keep;
    struct tg_buffer *content, *out;
    struct tg_text trailers;
    tg_upstream_fn *fn;
    void *arg;
};

/* --- what happens --- */

static void flow(struct tg_upstream *u)
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

    flow(u);
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

/* No more than SEND_MOST bytes in a turn: who receives as fast as we send would
 * keep us from all else. */
static ssize_t send_some(struct tg_upstream *u)
{
    struct iovec pieces[16];
    int i, n = tg_buffer_pieces(u->out, pieces, 16);
    size_t room = SEND_MOST;
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

static void flush(struct tg_upstream *u)
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
    u->lost(u->lost_arg);
}

static void open_on(struct tg_upstream *u)
{
    int error = tg_stream_handshake(&u->stream);

    if (error == 0)
        u->state = TG_UPSTREAM_IDLE;
    else if (error != -EAGAIN)
        break_off(u, error);
}

static void on_opening(struct tg_upstream *u)
{
    open_on(u);
    if (u->state == TG_UPSTREAM_OPENING)
        flow(u);
    else
        tell(u);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    static _Thread_local char scratch[SCRATCH];
    struct tg_upstream *u = arg;
    ssize_t n;

    (void)fd, (void)what;
    if (u->state == TG_UPSTREAM_OPENING) {
        on_opening(u);
        return;
    }
    n = tg_stream_recv(&u->stream, scratch, SCRATCH);
    if (n == -EAGAIN || n == -EINTR) {
        flush(u); /* a handshake may be over */
        flow(u);
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
        tg_text_add(&u->in, scratch, (size_t)n);
        feed(u, u->in.data, u->in.len);
    } else {
        feed(u, scratch, (size_t)n);
    }
    tell(u);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tg_upstream *u = arg;

    (void)fd, (void)what;
    u->writing = false;
    if (u->state == TG_UPSTREAM_OPENING || tg_stream_wants_write(&u->stream)) {
        on_readable(fd, what, u);
        return;
    }
    flush(u);
    tell(u);
}

/* --- its life --- */

struct tg_upstream *tg_upstream_new(struct tg_loop *loop, int fd,
                                    tg_upstream_fn *lost, void *arg)
{
    struct tg_upstream *u = tg_alloc(sizeof(*u));

    tg_stream_init(&u->stream, fd);
    event_assign(&u->read, tg_loop_base(loop), fd, EV_READ | EV_PERSIST,
                 on_readable, u);
    event_assign(&u->write, tg_loop_base(loop), fd, EV_WRITE, on_writable, u);
    u->lost = lost;
    u->lost_arg = arg;
    u->content = tg_buffer_new();
    u->out = tg_buffer_new();
    tg_census.connections++;
    return u;
}

void tg_upstream_start_tls(struct tg_upstream *u, struct tg_tls_trust *trust,
                           const char *server)
{
    tg_stream_start_tls_client(&u->stream, trust, server);
    u->state = TG_UPSTREAM_OPENING;
    open_on(u);
    flow(u);
}

void tg_upstream_free(struct tg_upstream *u)
{
    int fd = u->stream.fd;

    event_del(&u->read);
    event_del(&u->write);
    event_debug_unassign(&u->read);
    event_debug_unassign(&u->write);
    if (u->state != TG_UPSTREAM_IDLE && u->state != TG_UPSTREAM_DONE)
        tg_stream_break(&u->stream);
    tg_stream_release(&u->stream);
    close(fd);
    tg_buffer_free(u->content);
    tg_buffer_free(u->out);
    tg_text_release(&u->in);
    tg_text_release(&u->trailers);
    tg_headers_release(&u->head.headers);
    free(u);
    tg_census.connections--;
}

void *tg_upstream_owner(const struct tg_upstream *u)
{
    return u->lost_arg;
}

bool tg_upstream_is_fresh(struct tg_upstream *u)
{
    char byte;

    return !u->is_dirty && tg_stream_recv(&u->stream, &byte, 1) == -EAGAIN;
}

void tg_upstream_ask(struct tg_upstream *u, bool is_head)
{
    u->state = TG_UPSTREAM_ASKED;
    u->is_head = is_head;
    u->is_sent = u->has_answered = false;
    u->scanned = 0;
    u->interim = 0;
    u->keep = 0;
    flow(u);
}

void tg_upstream_rest(struct tg_upstream *u)
{
    u->state = TG_UPSTREAM_IDLE;
    u->was_used = true;
    u->fn = NULL;
    tg_headers_release(&u->head.headers);
    tg_text_release(&u->trailers);
    tg_text_release(&u->in);
    flow(u);
}

/* --- the request --- */

void tg_upstream_send(struct tg_upstream *u, const void *data, size_t len)
{
    const char *at = data;

    if (u->is_deaf || u->state == TG_UPSTREAM_FAILED || len == 0)
        return;
    if (tg_buffer_len(u->out) == 0) {
        struct iovec piece = {(void *)(uintptr_t)at,
                              len < SEND_MOST ? len : SEND_MOST};
        ssize_t n = tg_stream_send(&u->stream, &piece, 1);

        if (n == (ssize_t)len)
            return;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    tg_buffer_add(u->out, at, len);
    flush(u);
    flow(u);
}

void tg_upstream_send_buffer(struct tg_upstream *u, struct tg_buffer *data)
{
    if (u->is_deaf || u->state == TG_UPSTREAM_FAILED) {
        tg_buffer_drain(data, tg_buffer_len(data));
        return;
    }
    tg_buffer_move(data, u->out, SIZE_MAX);
    flush(u);
    flow(u);
}

void tg_upstream_sent(struct tg_upstream *u)
{
    u->is_sent = true;
}

size_t tg_upstream_unsent(const struct tg_upstream *u)
{
    return u->is_deaf ? 0 : tg_buffer_len(u->out);
}

/* --- the response --- */

enum tg_upstream_state tg_upstream_state(const struct tg_upstream *u)
{
    return u->state;
}

const char *tg_upstream_failure(const struct tg_upstream *u,
                                const char **message)
{
    *message = u->message;
    return u->code;
}

bool tg_upstream_is_stale(const struct tg_upstream *u)
{
    return u->was_used && !u->has_answered && u->state == TG_UPSTREAM_FAILED &&
           strcmp(u->code, "closed") == 0;
}

void tg_upstream_take_head(struct tg_upstream *u, struct tg_upstream_head *head)
{
    *head = u->head;
    u->head.headers = (struct tg_headers){0};
}

void tg_upstream_take_content(struct tg_upstream *u, struct tg_buffer *to)
{
    tg_buffer_move(u->content, to, SIZE_MAX);
    flow(u);
}

void tg_upstream_take_trailers(struct tg_upstream *u, struct tg_text *to)
{
    *to = u->trailers;
    u->trailers = (struct tg_text){0};
}

double tg_upstream_keep(const struct tg_upstream *u)
{
    return u->state == TG_UPSTREAM_DONE && !u->is_dirty ? u->keep : 0;
}

bool tg_upstream_is_watched(const struct tg_upstream *u)
{
    return u->fn;
}

void tg_upstream_watch(struct tg_upstream *u, tg_upstream_fn *fn, void *arg)
{
    u->fn = fn;
    u->arg = arg;
}
