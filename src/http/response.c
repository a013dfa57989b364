// SPDX-License-Identifier: MIT
/* The response's half of an exchange. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/connection.h"
#include "http/exchange.h"
#include "http/status.h"
#include "http/writer.h"
#include "net/buffer.h"

enum {
    GATHER_MOST = 4096,      /* a copy of so much costs less than a piece */
    BURST_MOST = 1024 * 1024 /* bytes written without a turn for others */
};

enum tg_response_stage tg_exchange_stage(const struct tg_exchange *x)
{
    return x->stage;
}

int tg_exchange_status(const struct tg_exchange *x)
{
    return x->status;
}

void tg_exchange_set_status(struct tg_exchange *x, int status)
{
    x->status = status;
}

struct tg_headers *tg_exchange_response_headers(struct tg_exchange *x)
{
    return &x->response_headers;
}

static bool is_head_request(const struct tg_exchange *x)
{
    return x->head.method.len == 4 &&
           memcmp(x->bytes.data + x->head.method.at, "HEAD", 4) == 0;
}

/* Sends the head, with the first bytes of the body when there are some. */
static void begin(struct tg_exchange *x, struct tg_writer_head *head,
                  const struct iovec *body, int nbody)
{
    struct tg_connection *c = x->connection;
    struct iovec pieces[4];
    struct tg_text *formatted = &c->server->head;

    x->status = head->status;
    x->stage = TG_RESPONSE_BEGUN;
    x->bodiless = is_head_request(x) || tg_status_is_bodiless(head->status);
    head->headers = &x->response_headers;
    head->close = c->close_after = head->close || tg_connection_will_close(c);
    head->keep_alive = x->head.minor == 0;
    tg_writer_format(head, formatted);
    if (x->bodiless)
        nbody = 0;
    for (; nbody > 0 && body->iov_len <= GATHER_MOST; nbody--, body++)
        tg_text_add(formatted, body->iov_base, body->iov_len);
    pieces[0].iov_base = formatted->data;
    pieces[0].iov_len = formatted->len;
    memcpy(pieces + 1, body, (size_t)nbody * sizeof(*body));
    tg_connection_send(c, pieces, nbody + 1);
}

static void finished(struct tg_exchange *x)
{
    x->stage = TG_RESPONSE_FINISHED;
    x->on_gone = x->on_late = NULL;
    tg_exchange_tell_over(x);
    tg_connection_finished(x->connection);
}

void tg_exchange_respond(struct tg_exchange *x, int status, const char *type,
                         const char *body, size_t len)
{
    struct tg_writer_head head = {.status = status, .type = type};
    struct iovec piece = {(char *)(uintptr_t)body, len};

    head.length = (int64_t)len;
    if (tg_status_is_bodiless(status)) {
        head.length = -1;
        head.type = NULL;
    }
    begin(x, &head, &piece, len > 0);
    if (!x->bodiless)
        x->sent = len;
    finished(x);
}

/* The content-length a handler has set for a stream; -1 if it is none. */
static int64_t declared_length(const struct tg_exchange *x)
{
    const struct tg_headers *headers = &x->response_headers;
    int at = tg_headers_find(headers, "content-length", 14, 0);
    int64_t length = 0;
    const char *value;
    size_t len, i;

    if (at < 0)
        return -1;
    value = tg_headers_value(headers, (unsigned)at, &len);
    for (i = 0; i < len && i < 18 && '0' <= value[i] && value[i] <= '9'; i++)
        length = 10 * length + (value[i] - '0');
    return 0 < len && i == len ? length : -1;
}

static void begin_stream(struct tg_exchange *x, const struct iovec *body,
                         int nbody)
{
    struct tg_writer_head head = {.status = x->status ? x->status : 200};

    if (!tg_status_is_bodiless(head.status)) {
        head.length = x->left;
        head.chunked = x->left < 0 && x->head.minor > 0;
        head.close = x->left < 0 && !head.chunked;
        head.type = "text/plain; charset=utf-8";
    } else {
        head.length = -1;
    }
    x->chunked = head.chunked;
    begin(x, &head, body, nbody);
}

/* The chunk's size line; returns its length. */
static int chunk_line(char *room, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    int n = 0, shift = 60;

    while (shift && !(len >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        room[n++] = hex[len >> shift & 15];
    room[n++] = '\r';
    room[n++] = '\n';
    return n;
}

int64_t tg_exchange_write(struct tg_exchange *x, const char *data, size_t len)
{
    static char end_of_line[] = "\r\n";
    struct iovec pieces[3];
    char line[20];
    int n = 0;
    bool first = x->stage == TG_RESPONSE_OPEN;

    if (first)
        x->left = declared_length(x);
    if (x->left >= 0 && len > (uint64_t)x->left)
        return -1;
    if (x->left >= 0 && !first)
        x->left -= (int64_t)len;
    if (first ? x->left < 0 && x->head.minor > 0 : x->chunked) {
        pieces[0].iov_base = line;
        pieces[0].iov_len = (size_t)chunk_line(line, len);
        pieces[2].iov_base = end_of_line;
        pieces[2].iov_len = 2;
        n = 3;
    } else {
        n = 1;
    }
    pieces[n / 2].iov_base = (char *)(uintptr_t)data;
    pieces[n / 2].iov_len = len;
    if (len == 0)
        n = 0; /* an empty chunk would end the stream */
    if (first) {
        begin_stream(x, pieces, n);
        if (x->left >= 0)
            x->left -= (int64_t)len;
    } else if (!x->bodiless && n) {
        tg_connection_send(x->connection, pieces, n);
    }
    if (!x->bodiless)
        x->sent += len;
    return (int64_t)tg_exchange_waiting(x);
}

bool tg_exchange_is_burst(struct tg_exchange *x, size_t len)
{
    x->burst += len;
    if (x->burst < BURST_MOST)
        return false;
    x->burst = 0;
    return true;
}

/* To a client that has left everything waits: its writer parks, and the loop
 * gets to say so. */
size_t tg_exchange_waiting(const struct tg_exchange *x)
{
    if (x->connection->broken)
        return INT64_MAX;
    return x->connection->out ? tg_buffer_len(x->connection->out) : 0;
}

void tg_exchange_on_drain(struct tg_exchange *x, size_t bytes,
                          tg_exchange_fn *fn, void *arg)
{
    x->drain_mark = bytes;
    x->on_drain = fn;
    x->drain_arg = arg;
}

void tg_exchange_finish(struct tg_exchange *x)
{
    static char last_chunk[] = "0\r\n\r\n";
    struct iovec piece = {last_chunk, sizeof(last_chunk) - 1};

    if (x->stage == TG_RESPONSE_OPEN) {
        tg_exchange_respond(x, x->status ? x->status : 204, NULL, "", 0);
        return;
    }
    if (x->left > 0 && !x->bodiless) { /* less than was promised */
        tg_exchange_abort(x);
        return;
    }
    if (x->chunked && !x->bodiless)
        tg_connection_send(x->connection, &piece, 1);
    finished(x);
}

void tg_exchange_abort(struct tg_exchange *x)
{
    struct linger at_once = {.l_onoff = 1};

    x->on_gone = x->on_late = NULL;
    setsockopt(x->connection->stream.fd, SOL_SOCKET, SO_LINGER, &at_once,
               sizeof(at_once));
    tg_connection_close(x->connection);
}
