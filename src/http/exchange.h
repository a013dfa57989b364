// SPDX-License-Identifier: MIT
/*
 * An exchange: one request together with its response.
 *
 * The seam of the wire: nothing above knows evhttp or sockets.  An exchange
 * belongs to its connection, lives on one thread, and is over when the last
 * byte of its response is out or the client has left; its memory is used again
 * for a later one.  Whoever keeps a pointer keeps the serial number beside it,
 * and asks tg_exchange_is() before each use.
 *
 * The response goes through three stages: it may be changed, it has begun (the
 * head is out), it is finished.
 */
#ifndef TG_HTTP_EXCHANGE_H
#define TG_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "http/framing.h"
#include "http/headers.h"

struct tg_buffer;
struct tg_connection;
struct tg_exchange;
struct tg_source;
struct tg_tls_session;

enum tg_response_stage {
    TG_RESPONSE_OPEN,
    TG_RESPONSE_BEGUN,
    TG_RESPONSE_FINISHED
};

enum { TG_EXCHANGE_ID = 128 }; /* the longest id */

typedef void tg_exchange_fn(void *arg);

/* Is it still the one that had this serial number? */
bool tg_exchange_is(const struct tg_exchange *x, uint64_t serial);
uint64_t tg_exchange_serial(const struct tg_exchange *x);

/* --- the request --- */

/* The parsed head, and the bytes its spans point into. */
const struct tg_head *tg_exchange_head(const struct tg_exchange *x);
const char *tg_exchange_bytes(const struct tg_exchange *x);

/* Methods are told apart by case (RFC 9110, 9.1). */
bool tg_exchange_is_method(const struct tg_exchange *x, const char *method);

/* All request fields, made at the first call. */
struct tg_headers *tg_exchange_request_headers(struct tg_exchange *x);

/* The name that a trusted proxy gave it, or its number in 32 hexadecimal
 * digits, unique among all processes. */
const char *tg_exchange_id(struct tg_exchange *x);

/* What the floor above calls it in logs: its route.  Copied. */
void tg_exchange_set_label(struct tg_exchange *x, const char *label,
                           size_t len);
const char *tg_exchange_label(const struct tg_exchange *x, size_t *len);

/* When it began, by tg_clock_now(); for who measures it. */
void tg_exchange_set_began(struct tg_exchange *x, double when);
double tg_exchange_began(const struct tg_exchange *x);

/* The client's address as text, "" on a unix socket, and its port or 0; as
 * trusted proxies say, if there are any. */
const char *tg_exchange_address(struct tg_exchange *x, int *port);

/* The same of who is connected to us: writes the address, returns the port. */
int tg_exchange_peer(const struct tg_exchange *x, char room[TG_ADDRESS_TEXT]);

/* "http" or "https", and the host with its port: what the client has used, as
 * trusted proxies say. */
const char *tg_exchange_scheme(struct tg_exchange *x);
struct tg_span tg_exchange_host(struct tg_exchange *x);

/* How its connection is encrypted; NULL in the clear. */
struct tg_tls_session *tg_exchange_tls(const struct tg_exchange *x);

/* Content that has come and was not read yet.  Take from it, then call
 * tg_exchange_more(). */
struct tg_buffer *tg_exchange_content(struct tg_exchange *x);

/* Has the content come whole? */
bool tg_exchange_is_complete(const struct tg_exchange *x);

/*
 * The reader wants what comes next: sends 100 Continue if the client waits for
 * it, and reads on when back-pressure had stopped that.  `fn` is called once,
 * when content came, the last of it came, or the limit was passed.
 */
void tg_exchange_more(struct tg_exchange *x, tg_exchange_fn *fn, void *arg);

/* Content beyond `bytes` is an error (413); says so at once if the length is
 * known already. */
bool tg_exchange_limit(struct tg_exchange *x, uint64_t bytes);
bool tg_exchange_is_too_large(const struct tg_exchange *x);

/* The field lines of the trailer section; complete only with the content. */
const struct tg_text *tg_exchange_trailers(const struct tg_exchange *x);

/* --- the response --- */

enum tg_response_stage tg_exchange_stage(const struct tg_exchange *x);
int tg_exchange_status(const struct tg_exchange *x); /* 0: not set */
void tg_exchange_set_status(struct tg_exchange *x, int status);
struct tg_headers *tg_exchange_response_headers(struct tg_exchange *x);

/* May it be encoded (RFC 9110, 8.4), if its client and its type allow? */
bool tg_exchange_compress(const struct tg_exchange *x);
void tg_exchange_set_compress(struct tg_exchange *x, bool compress);

/* The handler may go on when it has answered, for long and without a turn for
 * others: the client must not wait for that. */
void tg_exchange_goes_on(struct tg_exchange *x);

/*
 * Answers with a whole body; `type` is its content-type unless the headers have
 * one, NULL for none.  The bytes are copied where the socket does not take
 * them.
 */
void tg_exchange_respond(struct tg_exchange *x, int status, const char *type,
                         const char *body, size_t len);

/* The same with content from a file, which is sent as the client takes it, even
 * if nobody waits for that; takes the source. */
void tg_exchange_respond_file(struct tg_exchange *x, int status,
                              const char *type, struct tg_source *file);

/* Writes a piece of a stream, the head before the first; returns how many
 * bytes, encoded or not, wait for the client.  -1: more than the content-length
 * that was set. */
int64_t tg_exchange_write(struct tg_exchange *x, const char *data, size_t len);

/* Sends what an encoder may hold of that, and the head if it is not out.
 * Whoever does not call it: the loop does, at its next turn. */
void tg_exchange_flush(struct tg_exchange *x);

/* Counts bytes that were written; true when so many went out that others
 * should have their turn. */
bool tg_exchange_is_burst(struct tg_exchange *x, size_t len);

/* Calls `fn` once, when at most `bytes` wait for the client. */
void tg_exchange_on_drain(struct tg_exchange *x, size_t bytes,
                          tg_exchange_fn *fn, void *arg);
size_t tg_exchange_waiting(const struct tg_exchange *x);

/* Ends a response that was written in pieces, or answers 204 if none was. */
void tg_exchange_finish(struct tg_exchange *x);

/* Cuts the connection: what was begun cannot be finished rightly. */
void tg_exchange_abort(struct tg_exchange *x);

/* Does a task wait for its content, or for its client to take more? */
bool tg_exchange_is_read(const struct tg_exchange *x);
bool tg_exchange_is_written(const struct tg_exchange *x);

/* --- its end --- */

/* Calls `gone` if the client leaves before the response is finished; no wait
 * of the exchange is called after that.  Calls `late` once if its time has
 * passed and the response has not begun.  NULL forgets them. */
void tg_exchange_watch(struct tg_exchange *x, tg_exchange_fn *gone,
                       tg_exchange_fn *late, void *arg);

/* How long it may take to begin the response, without the time spent waiting
 * for the client's content. */
void tg_exchange_set_wait(struct tg_exchange *x, double seconds);

#endif
