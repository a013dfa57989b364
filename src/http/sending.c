// SPDX-License-Identifier: MIT
/* What a connection sends: at once what the socket takes, the rest as it
 * becomes writable. */
#include <errno.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "http/connection.h"
#include "net/buffer.h"
#include "net/source.h"

enum {
    SKIP_MOST = 64 * 1024, /* unread content worth receiving to the end */
    TURN_MOST = 512 * 1024 /* bytes of a file sent while others wait */
};

bool tg_connection_is_drained(const struct tg_connection *c)
{
    return !c->file && (!c->out || tg_buffer_len(c->out) == 0);
}

void tg_connection_spoil(struct tg_connection *c)
{
    struct linger at_once = {.l_onoff = 1};

    tg_stream_break(&c->stream);
    setsockopt(c->stream.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void start_writing(struct tg_connection *c)
{
    if (!c->writing && !tg_connection_is_drained(c)) {
        c->writing = true;
        event_add(&c->write, NULL);
    }
}

static void stop_writing(struct tg_connection *c)
{
    if (c->writing)
        event_del(&c->write);
    c->writing = false;
}

static void drop_file(struct tg_connection *c)
{
    if (c->file)
        tg_source_free(c->file);
    c->file = NULL;
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
    drop_file(c);
    event_active(&c->read, EV_READ, 0);
}

static void connection_send(struct tg_connection *c, const struct iovec *pieces,
                            int n, bool is_end)
{
    bool is_first = !c->out || tg_buffer_len(c->out) == 0;
    ssize_t sent = 0;
    int i;

    if (c->broken)
        return;
    if (is_first)
        sent = is_end ? tg_stream_send_last(&c->stream, pieces, n)
                      : tg_stream_send(&c->stream, pieces, n);
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
    if (is_first && c->out)
        c->went = c->server->tick;
    start_writing(c);
}

void tg_connection_send(struct tg_connection *c, const struct iovec *pieces,
                        int n)
{
    connection_send(c, pieces, n, false);
}

void tg_connection_send_last(struct tg_connection *c,
                             const struct iovec *pieces, int n)
{
    connection_send(c, pieces, n, c->close_after && !c->exchange->goes_on);
}

/* Returns 0 or -errno. */
static ssize_t send_out(struct tg_connection *c)
{
    ssize_t sent = tg_stream_send_buffer(&c->stream, c->out);

    if (sent < 0)
        return sent;
    if (sent > 0)
        c->went = c->server->tick;
    if (tg_buffer_len(c->out) == 0) {
        tg_buffer_free(c->out);
        c->out = NULL;
    }
    return 0;
}

/* The same; a file's bytes count when they go out, others when written. */
static ssize_t send_file(struct tg_connection *c)
{
    ssize_t sent = tg_source_send(c->file, &c->stream, TURN_MOST);

    if (sent == -ENODATA)
        tg_connection_spoil(c);
    if (sent < 0)
        return sent;
    c->went = c->server->tick;
    c->exchange->sent += (uint64_t)sent;
    if (tg_source_left(c->file) == 0)
        drop_file(c);
    return 0;
}

static bool is_lost(ssize_t error)
{
    return error < 0 && error != -EAGAIN && error != -EINTR;
}

void tg_connection_send_file(struct tg_connection *c, struct tg_source *file)
{
    c->file = file;
    if (c->broken || tg_source_left(file) == 0) {
        drop_file(c);
        return;
    }
    c->went = c->server->tick;
    if (!c->out && is_lost(send_file(c)))
        send_failed(c);
    else
        start_writing(c);
}

void tg_sending_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tg_connection *c = arg;
    ssize_t error = 0;

    (void)fd, (void)what;
    if (tg_stream_wants_write(&c->stream)) /* receiving waits for this */
        event_active(&c->read, EV_READ, 0);
    if (c->out)
        error = send_out(c);
    if (!error && !c->out && c->file)
        error = send_file(c);
    if (is_lost(error)) {
        tg_connection_close(c);
        return;
    }
    if (tg_connection_is_drained(c))
        stop_writing(c);
    if (!c->exchange)
        return;
    if (c->exchange->stage != TG_RESPONSE_FINISHED)
        tg_exchange_tell_drain(c->exchange);
    else if (tg_connection_is_drained(c))
        tg_connection_end_exchange(c);
}

void tg_connection_finished(struct tg_connection *c)
{
    if (c->broken || tg_connection_is_drained(c))
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
