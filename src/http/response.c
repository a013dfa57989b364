// SPDX-License-Identifier: MIT
/* The response's half of an exchange. */
#include <stdlib.h>
#include <string.h>

#include "http/compression.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/status.h"
#include "http/writer.h"
#include "net/buffer.h"
#include "net/source.h"
#include "net/timer.h"

enum {
    GATHER_MOST = 4096,       /* a copy of so much costs less than a piece */
    BURST_MOST = 1024 * 1024, /* bytes written without a turn for others */
    ENCODING_COST = 4,        /* what a byte to encode counts for, in that */
    SLICE = 64 * 1024         /* bytes encoded, then sent */
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

bool tg_exchange_compress(const struct tg_exchange *x)
{
    return x->compress;
}

void tg_exchange_set_compress(struct tg_exchange *x, bool compress)
{
    x->compress = compress;
}

void tg_exchange_goes_on(struct tg_exchange *x)
{
    x->goes_on = true;
}

/* Sends the head, with the first bytes of the body when there are some; all of
 * them? */
static void begin(struct tg_exchange *x, struct tg_writer_head *head,
                  const struct iovec *body, int nbody, bool whole)
{
    struct tg_connection *c = x->connection;
    struct iovec pieces[4];
    struct tg_text *formatted = &c->server->head;

    x->status = head->status;
    x->stage = TG_RESPONSE_BEGUN;
    x->bodiless =
        tg_exchange_is_method(x, "HEAD") || tg_status_is_bodiless(head->status);
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
    if (whole)
        tg_connection_send_last(c, pieces, nbody + 1);
    else
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

    if (x->compress)
        tg_compression_whole(x, status, type, &piece);
    head.length = (int64_t)piece.iov_len;
    if (tg_status_is_bodiless(status)) {
        head.length = -1;
        head.type = NULL;
    }
    begin(x, &head, &piece, piece.iov_len > 0, true);
    if (!x->bodiless)
        x->sent = piece.iov_len;
    finished(x);
}

void tg_exchange_respond_file(struct tg_exchange *x, int status,
                              const char *type, struct tg_source *file)
{
    struct tg_writer_head head = {
        .status = status, .type = type, .length = tg_source_left(file)};
    struct iovec none = {NULL, 0};

    if (tg_status_is_bodiless(status)) {
        head.length = -1;
        head.type = NULL;
    }
    begin(x, &head, &none, 0, false);
    if (x->bodiless)
        tg_source_free(file);
    else
        tg_connection_send_file(x->connection, file);
    finished(x);
}

/* The content-length a handler has set for a stream; -1 if it is none. */
static int64_t declared_length(const struct tg_exchange *x)
{
    int64_t length = 0;
    size_t len, i;
    const char *value =
        tg_headers_get(&x->response_headers, "content-length", &len);

    if (!value)
        return -1;
    for (i = 0; i < len && i < 18 && '0' <= value[i] && value[i] <= '9'; i++)
        length = 10 * length + (value[i] - '0');
    return 0 < len && i == len ? length : -1;
}

/* What its head will say; nothing is sent yet. */
static void prepare_stream(struct tg_exchange *x, struct tg_writer_head *head)
{
    *head = (struct tg_writer_head){.status = x->status ? x->status : 200,
                                    .length = -1};
    if (!tg_status_is_bodiless(head->status)) {
        head->type = "text/plain; charset=utf-8";
        if (x->compress)
            x->encoder =
                tg_compression_stream(x, head->status, head->type, x->left);
        if (!x->encoder)
            head->length = x->left;
        head->chunked = head->length < 0 && x->head.minor > 0;
        head->close = head->length < 0 && !head->chunked;
    }
    x->chunked = head->chunked;
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

/* Sends a piece as framing has it, behind the head if that is given. */
static void send_piece(struct tg_exchange *x, struct tg_writer_head *head,
                       const char *data, size_t len)
{
    static char end_of_line[] = "\r\n";
    struct iovec pieces[3];
    char line[20];
    int n = 1;

    if (x->chunked) {
        pieces[0].iov_base = line;
        pieces[0].iov_len = (size_t)chunk_line(line, len);
        pieces[2].iov_base = end_of_line;
        pieces[2].iov_len = 2;
        n = 3;
    }
    pieces[n / 2].iov_base = (char *)(uintptr_t)data;
    pieces[n / 2].iov_len = len;
    if (len == 0)
        n = 0; /* an empty chunk would end the stream */
    if (head)
        begin(x, head, pieces, n, false);
    else if (!x->bodiless && n)
        tg_connection_send(x->connection, pieces, n);
    if (!x->bodiless)
        x->sent += len;
}

void tg_exchange_end_encoding(struct tg_exchange *x)
{
    if (x->lagging)
        tg_timer_stop(x->lagging);
    if (x->encoder)
        tg_encoder_put(&x->connection->server->encoders, x->encoder);
    x->lagging = NULL;
    x->encoder = NULL;
}

/* As send_piece(), through the encoder. */
static void encode_piece(struct tg_exchange *x, struct tg_writer_head *head,
                         const char *data, size_t len, enum tg_push push)
{
    struct tg_text *out = &x->connection->server->encoded;

    do {
        size_t n = len < SLICE ? len : SLICE;

        out->len = 0;
        tg_encoder_push(x->encoder, data, n, n < len ? TG_PUSH_MORE : push,
                        out);
        if (head || out->len)
            send_piece(x, head, out->data, out->len);
        head = NULL;
        data += n;
        len -= n;
    } while (len);
}

static void on_lag(void *arg)
{
    struct tg_exchange *x = arg;

    x->lagging = NULL;
    encode_piece(x, NULL, "", 0, TG_PUSH_FLUSH);
}

static void write_encoded(struct tg_exchange *x, struct tg_writer_head *head,
                          const char *data, size_t len)
{
    encode_piece(x, head, data, len, TG_PUSH_MORE);
    if (x->bodiless)
        tg_exchange_end_encoding(x);
    else if (len && !x->lagging)
        x->lagging = tg_timer_start(x->connection->server->loop, 0, on_lag, x);
}

int64_t tg_exchange_write(struct tg_exchange *x, const char *data, size_t len)
{
    struct tg_writer_head head, *first = NULL;

    if (x->stage == TG_RESPONSE_OPEN)
        x->left = declared_length(x);
    if (x->left >= 0 && len > (uint64_t)x->left)
        return -1;
    if (x->stage == TG_RESPONSE_OPEN) {
        prepare_stream(x, &head);
        first = &head;
    }
    if (x->left >= 0)
        x->left -= (int64_t)len;
    if (x->encoder)
        write_encoded(x, first, data, len);
    else
        send_piece(x, first, data, len);
    return (int64_t)tg_exchange_waiting(x);
}

void tg_exchange_flush(struct tg_exchange *x)
{
    if (x->stage == TG_RESPONSE_OPEN)
        tg_exchange_write(x, "", 0);
    if (!x->lagging)
        return;
    tg_timer_stop(x->lagging);
    on_lag(x);
}

bool tg_exchange_is_burst(struct tg_exchange *x, size_t len)
{
    x->burst += x->encoder ? ENCODING_COST * len : len;
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
    if (x->encoder) {
        encode_piece(x, NULL, "", 0, TG_PUSH_END);
        tg_exchange_end_encoding(x);
    }
    if (x->chunked && !x->bodiless)
        tg_connection_send_last(x->connection, &piece, 1);
    finished(x);
}

void tg_exchange_abort(struct tg_exchange *x)
{
    x->on_gone = x->on_late = NULL;
    tg_connection_spoil(x->connection);
    tg_connection_close(x->connection);
}
