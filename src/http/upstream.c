// SPDX-License-Identifier: MIT
#include "http/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/census.h"
#include "http/upstream_parts.h"
#include "net/buffer.h"
#include "net/loop.h"

/* --- its life --- */

struct tg_upstream *tg_upstream_new(struct tg_loop *loop, int fd,
                                    tg_upstream_fn *lost, void *arg)
{
    struct tg_upstream *u = tg_alloc(sizeof(*u));

    tg_stream_init(&u->stream, fd);
    event_assign(&u->read, tg_loop_base(loop), fd, EV_READ | EV_PERSIST,
                 tg_upstream_readable, u);
    event_assign(&u->write, tg_loop_base(loop), fd, EV_WRITE,
                 tg_upstream_writable, u);
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
    tg_upstream_shake(u);
    tg_upstream_flow(u);
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
    if (u->state == TG_UPSTREAM_FAILED) /* before anything was asked */
        return;
    u->state = TG_UPSTREAM_ASKED;
    u->is_head = is_head;
    u->is_sent = u->has_answered = false;
    u->scanned = 0;
    u->interim = 0;
    u->keep = 0;
    tg_upstream_flow(u);
}

void tg_upstream_rest(struct tg_upstream *u)
{
    u->state = TG_UPSTREAM_IDLE;
    u->was_used = true;
    u->fn = NULL;
    tg_headers_release(&u->head.headers);
    tg_text_release(&u->trailers);
    tg_text_release(&u->in);
    tg_buffer_drain(u->content, tg_buffer_len(u->content));
    tg_upstream_flow(u);
}

/* --- the request --- */

void tg_upstream_send(struct tg_upstream *u, const void *data, size_t len)
{
    const char *at = data;

    if (u->is_deaf || u->state == TG_UPSTREAM_FAILED || len == 0)
        return;
    if (tg_buffer_len(u->out) == 0) {
        struct iovec piece = {(void *)(uintptr_t)at,
                              len < TG_UPSTREAM_SEND ? len : TG_UPSTREAM_SEND};
        ssize_t n = tg_stream_send(&u->stream, &piece, 1);

        if (n == (ssize_t)len)
            return;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    tg_buffer_add(u->out, at, len);
    tg_upstream_flush(u);
    tg_upstream_flow(u);
}

void tg_upstream_send_buffer(struct tg_upstream *u, struct tg_buffer *data)
{
    if (u->is_deaf || u->state == TG_UPSTREAM_FAILED) {
        tg_buffer_drain(data, tg_buffer_len(data));
        return;
    }
    tg_buffer_move(data, u->out, SIZE_MAX);
    tg_upstream_flush(u);
    tg_upstream_flow(u);
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
    tg_upstream_flow(u);
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
