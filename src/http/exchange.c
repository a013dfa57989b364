// SPDX-License-Identifier: MIT
/* The request's half of an exchange, and its life.  The response's half is in
 * response.c; who asks, in
 * exchange_origin.c. */
#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/census.h"
#include "http/connection.h"
#include "net/buffer.h"

enum { KEPT_BYTES = 16384 }; /* a spare exchange keeps at most so much */

bool tg_exchange_is(const struct tg_exchange *x, uint64_t serial)
{
    return x->connection && x->serial == serial;
}

uint64_t tg_exchange_serial(const struct tg_exchange *x)
{
    return x->serial;
}

struct tg_exchange *tg_exchange_take(struct tg_server *server)
{
    struct tg_exchange *x = server->spare;

    if (x)
        server->spare = x->next;
    else
        x = tg_alloc(sizeof(*x));
    return x;
}

static void trim(struct tg_text *text)
{
    text->len = 0;
    if (text->cap > KEPT_BYTES)
        tg_text_release(text);
}

void tg_exchange_put(struct tg_server *server, struct tg_exchange *x)
{
    if (x->connection)
        tg_census.exchanges--;
    if (x->encoder)
        tg_exchange_end_encoding(x);
    x->connection = NULL;
    trim(&x->bytes);
    trim(&x->trailers);
    trim(&x->label);
    trim(&x->request_headers.bytes);
    trim(&x->response_headers.bytes);
    tg_headers_clear(&x->request_headers);
    tg_headers_clear(&x->response_headers);
    if (x->content)
        tg_buffer_free(x->content);
    x->content = NULL;
    x->next = server->spare;
    server->spare = x;
}

void tg_exchange_free(struct tg_exchange *x)
{
    tg_text_release(&x->bytes);
    tg_text_release(&x->trailers);
    tg_text_release(&x->label);
    tg_headers_release(&x->request_headers);
    tg_headers_release(&x->response_headers);
    free(x);
}

void tg_exchange_open(struct tg_exchange *x, struct tg_connection *c,
                      const char *bytes, size_t len)
{
    static _Thread_local uint64_t serials;

    tg_census.exchanges++;
    x->connection = c;
    x->serial = ++serials;
    tg_text_add(&x->bytes, bytes, len);
    tg_body_init(&x->body, &x->head);
    x->received = 0;
    x->limit = UINT64_MAX;
    x->id[0] = '\0';
    x->stage = TG_RESPONSE_OPEN;
    x->status = 0;
    x->left = -1;
    x->sent = 0;
    x->burst = 0;
    x->is_filled = x->is_traced = false;
    x->compress = c->server->compress;
    x->began = 0;
    x->expects_continue =
        x->head.expect_continue && x->body.state != TG_BODY_DONE;
    x->too_large = x->chunked = x->bodiless = x->goes_on = false;
    x->on_content = x->on_drain = x->on_gone = x->on_late = NULL;
    x->since = c->server->tick;
    x->wait = c->server->ticks.wait;
}

/* Decodes content as far as `data` goes; returns the bytes used or -status. */
ssize_t tg_exchange_feed(struct tg_exchange *x, const char *data, size_t len)
{
    size_t used = 0;
    struct tg_run run;
    ssize_t n;

    while (x->body.state != TG_BODY_DONE) {
        n = tg_body_decode(&x->body, data + used, len - used, &run);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        used += (size_t)n;
        x->expects_continue = false; /* it came by itself */
        if (run.kind == TG_RUN_TRAILERS)
            tg_text_add(&x->trailers, run.at, run.len);
        if (run.kind != TG_RUN_DATA)
            continue;
        x->received += run.len;
        if (x->received > x->limit)
            x->too_large = true;
        if (x->too_large)
            continue; /* nobody will read it */
        if (!x->content)
            x->content = tg_buffer_new();
        tg_buffer_add(x->content, run.at, run.len);
    }
    return (ssize_t)used;
}

static void tell(tg_exchange_fn **slot, void *arg)
{
    tg_exchange_fn *fn = *slot;

    *slot = NULL;
    if (fn)
        fn(arg);
}

void tg_exchange_tell_content(struct tg_exchange *x)
{
    if (x->too_large || x->body.state == TG_BODY_DONE ||
        (x->content && tg_buffer_len(x->content))) {
        x->since = x->connection->server->tick;
        tell(&x->on_content, x->content_arg);
    }
}

void tg_exchange_tell_late(struct tg_exchange *x)
{
    tell(&x->on_late, x->watch_arg);
}

void tg_exchange_tell_drain(struct tg_exchange *x)
{
    if (tg_exchange_waiting(x) <= x->drain_mark)
        tell(&x->on_drain, x->drain_arg);
}

/* Its own task does not wait any more: others that do are told it is over. */
void tg_exchange_tell_over(struct tg_exchange *x)
{
    tell(&x->on_content, x->content_arg);
    tell(&x->on_drain, x->drain_arg);
}

void tg_exchange_tell_gone(struct tg_exchange *x)
{
    enum tg_response_stage stage = x->stage;

    x->stage = TG_RESPONSE_FINISHED; /* for what the task does in its end */
    tell(&x->on_gone, x->watch_arg);
    tg_exchange_tell_over(x);
    x->stage = stage;
}

const struct tg_head *tg_exchange_head(const struct tg_exchange *x)
{
    return &x->head;
}

const char *tg_exchange_bytes(const struct tg_exchange *x)
{
    return x->bytes.data;
}

bool tg_exchange_is_method(const struct tg_exchange *x, const char *method)
{
    const struct tg_span *span = &x->head.method;

    return span->len == strlen(method) &&
           memcmp(x->bytes.data + span->at, method, span->len) == 0;
}

struct tg_headers *tg_exchange_request_headers(struct tg_exchange *x)
{
    struct tg_headers *headers = &x->request_headers;
    unsigned i;

    if (!x->is_filled) {
        x->is_filled = true;
        for (i = 0; i < x->head.nfields; i++) {
            struct tg_field *field = &x->head.fields[i];

            tg_headers_add(headers, x->bytes.data + field->name.at,
                           field->name.len, x->bytes.data + field->value.at,
                           field->value.len);
        }
    }
    return headers;
}

void tg_exchange_set_label(struct tg_exchange *x, const char *label, size_t len)
{
    x->label.len = 0;
    tg_text_add(&x->label, label, len);
}

const char *tg_exchange_label(const struct tg_exchange *x, size_t *len)
{
    *len = x->label.len;
    return x->label.data;
}

void tg_exchange_set_began(struct tg_exchange *x, double when)
{
    x->began = when;
}

double tg_exchange_began(const struct tg_exchange *x)
{
    return x->began;
}

struct tg_tls_session *tg_exchange_tls(const struct tg_exchange *x)
{
    return x->connection->stream.tls;
}

struct tg_buffer *tg_exchange_content(struct tg_exchange *x)
{
    if (!x->content)
        x->content = tg_buffer_new();
    return x->content;
}

bool tg_exchange_is_complete(const struct tg_exchange *x)
{
    return x->body.state == TG_BODY_DONE;
}

void tg_exchange_more(struct tg_exchange *x, tg_exchange_fn *fn, void *arg)
{
    static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {go_on, sizeof(go_on) - 1};

    if (x->expects_continue && x->stage == TG_RESPONSE_OPEN)
        tg_connection_send(x->connection, &piece, 1);
    x->expects_continue = false;
    x->on_content = fn;
    x->content_arg = arg;
    x->connection->came = x->connection->server->tick;
    tg_connection_flow(x->connection);
}

bool tg_exchange_is_read(const struct tg_exchange *x)
{
    return x->on_content;
}

bool tg_exchange_is_written(const struct tg_exchange *x)
{
    return x->on_drain;
}

bool tg_exchange_limit(struct tg_exchange *x, uint64_t bytes)
{
    bool announced =
        x->head.content_length > 0 && (uint64_t)x->head.content_length > bytes;

    x->limit = bytes;
    if (announced || x->received > bytes)
        x->too_large = true;
    return !announced;
}

bool tg_exchange_is_too_large(const struct tg_exchange *x)
{
    return x->too_large;
}

const struct tg_text *tg_exchange_trailers(const struct tg_exchange *x)
{
    return &x->trailers;
}

void tg_exchange_watch(struct tg_exchange *x, tg_exchange_fn *gone,
                       tg_exchange_fn *late, void *arg)
{
    x->on_gone = gone;
    x->on_late = late;
    x->watch_arg = arg;
}

void tg_exchange_set_wait(struct tg_exchange *x, double seconds)
{
    x->wait = tg_deadline_ticks(x->connection->server, seconds);
}
