// SPDX-License-Identifier: MIT
/*
 * A connection owns its socket: it receives, frames, sends, and closes
 * (private to this folder).
 */
#ifndef TG_HTTP_CONNECTION_H
#define TG_HTTP_CONNECTION_H

#include <event2/event_struct.h>
#include <event2/util.h>

#include "base/list.h"
#include "base/settings.h"
#include "base/text.h"
#include "http/encoder.h"
#include "http/exchange.h"
#include "http/origin.h"
#include "http/peer.h"
#include "http/server.h"
#include "net/stream.h"

struct evhttp;
struct evhttp_bound_socket;
struct evconnlistener;
struct tg_source;
struct tg_tally;
struct tg_timer;
struct tg_tls;

struct tg_server {
    struct tg_loop *loop;
    struct evhttp *http; /* has the listening sockets */
    struct tg_server_hooks hooks;
    struct tg_list connections;
    struct tg_list listeners;
    struct tg_exchange *spare; /* exchanges to use again */
    const struct tg_limits *limits;
    struct tg_tally *tally; /* of connections by address */
    struct tg_timer *ticker;
    double tick_seconds;
    unsigned tick; /* counts up; deadlines are told in ticks */
    struct {
        unsigned head, body, idle, write, wait;
    } ticks;                   /* the limits, as ticks */
    struct tg_list *next_look; /* the connection whose turn is next */
    long nconnections;
    double warned;            /* when it last told of too many of them */
    bool draining;            /* no connection goes on after its response, */
    struct tg_timer *leaving; /* but while sockets leave epoll and then */
    struct tg_timer *grace;   /* until this, idle ones may ask once more */
    double grace_seconds;
    struct tg_proxies proxies;
    unsigned refusals; /* of peers, */
    double complained; /* and when it last told of one */
    struct tg_head_limits head_limits;
    bool compress; /* what responses are, unless they say otherwise */
    struct tg_encoder_pool encoders;
    struct tg_text encoded; /* what an encoder has just made */
    struct tg_text head;    /* where every response head is formatted */
    char scratch[65536];    /* where every connection receives */
};

/* A listening socket; kept as long as its connections may live. */
struct tg_listener {
    struct tg_list link;
    struct tg_server *server;
    struct tg_listen options;
    struct tg_tls *tls;                /* NULL: in the clear */
    struct evhttp_bound_socket *bound; /* NULL: it is closed */
    struct evconnlistener *evlistener;
    struct tg_timer *pause;
    double warned; /* when it last told that it cannot accept */
};

struct tg_connection {
    struct tg_list link;
    struct tg_server *server;
    struct tg_listener *listener;
    struct tg_stream stream;
    struct tg_peer peer;
    struct tg_exchange *exchange;
    struct event read, write;
    struct tg_text pending; /* bytes that could not be used yet */
    struct tg_buffer *out;  /* bytes the socket did not take */
    struct tg_source *file; /* what comes behind those */
    struct tg_timer *timer; /* of a probe or of lingering */
    size_t scanned;         /* of the head in `pending` */
    size_t rest;            /* bytes feed() has behind the exchange */
    uint64_t skip;          /* content nobody read, to be dropped */
    long nrequests;
    unsigned deadline;     /* a tick, while no exchange is open; 0: none */
    unsigned came, went;   /* the ticks when bytes last did */
    bool begun;            /* it had its first turn */
    bool reading, writing; /* are the events added? */
    bool busy;             /* feed() is at work: it will clean up */
    bool dead;             /* to be freed when it is not busy */
    bool emptied;          /* it had no more when bytes last came */
    bool eof;              /* the client will send no more */
    bool close_after;      /* the response says so, or must */
    bool lingering;        /* drop what comes, until the client closes */
    bool broken;           /* the socket takes no more */
    bool head_begun;       /* part of a head has come: its time runs */
    bool refused;          /* framing was broken: nothing more is read */
    bool counted;          /* its address has it in the tally */
    bool is_plain;         /* it does not speak TLS, but should */
};

struct tg_exchange {
    struct tg_connection *connection; /* NULL when it is over */
    uint64_t serial;
    struct tg_exchange *next; /* while it is spare */

    struct tg_text bytes;
    struct tg_body body;
    struct tg_buffer *content;
    uint64_t received, limit;
    struct tg_text trailers, label;
    double began;
    struct tg_headers request_headers, response_headers;
    bool is_filled; /* are the request's headers? when they are asked for */
    bool is_traced; /* is the origin found?  the same */
    struct tg_origin origin;
    char address[TG_ADDRESS_TEXT]; /* of the origin's client */
    char id[TG_EXCHANGE_ID + 1];

    enum tg_response_stage stage;
    int status;
    int64_t left;  /* of the content-length the handler set; -1: none */
    uint64_t sent; /* content */
    size_t burst;  /* written since others had their turn */
    bool expects_continue, too_large, chunked, bodiless;
    bool goes_on;               /* the end does not follow the last bytes */
    bool compress;              /* may it be encoded? */
    struct tg_encoder *encoder; /* of a stream; NULL: it goes as it is */
    struct tg_timer *lagging;   /* the encoder holds bytes until it fires */

    tg_exchange_fn *on_content, *on_drain, *on_gone, *on_late;
    void *content_arg, *drain_arg, *watch_arg;
    unsigned since, wait; /* the tick it is the handler's turn; its ticks */
    size_t drain_mark;

    struct tg_head head; /* big: last */
};

/* The life of a listener, for its server: it accepts no more; its socket is
 * closed, a round of the loop later; it is forgotten. */
void tg_listener_stop(struct tg_listener *listener);
void tg_listener_close(struct tg_listener *listener);
void tg_listener_free(struct tg_listener *listener);

/* Makes one of a socket that was accepted, which it owns from now on.  It
 * begins at its first turn, when all that wait have been accepted. */
void tg_connection_new(struct tg_listener *listener, int fd,
                       const struct tg_address *peer);
void tg_connection_begin(struct tg_connection *c);

/* Closes now, or when feed() is done; an exchange hears of it. */
void tg_connection_close(struct tg_connection *c);
void tg_connection_free(struct tg_connection *c);

/* Ends the sending, and drops what still comes for a while. */
void tg_connection_linger(struct tg_connection *c);

/* Sends, and keeps what the socket does not take.  last: nothing will follow in
 * this exchange. */
void tg_connection_send(struct tg_connection *c, const struct iovec *pieces,
                        int n);
void tg_connection_send_last(struct tg_connection *c,
                             const struct iovec *pieces, int n);

/* Sends a source behind that, and frees it. */
void tg_connection_send_file(struct tg_connection *c, struct tg_source *file);

/* Has everything gone to the socket? */
bool tg_connection_is_drained(const struct tg_connection *c);

/* Has its socket closed with a reset: what was sent is not whole. */
void tg_connection_spoil(struct tg_connection *c);

/* Refuses what framing cannot accept: one complete response, then the end. */
void tg_connection_refuse(struct tg_connection *c, int status);

/* The response is finished: ends the exchange as soon as all is sent. */
void tg_connection_finished(struct tg_connection *c);

/* Starts or stops receiving, as the exchange's content allows. */
void tg_connection_flow(struct tg_connection *c);

/* Ends it in so many ticks unless an exchange is open then; 0: never. */
void tg_connection_deadline(struct tg_connection *c, unsigned ticks);

/* Ends its exchange, whose content is broken or does not come: with the status
 * if the response has not begun. */
void tg_connection_cut(struct tg_connection *c, int status);

/* Its head did not come in time. */
void tg_connection_head_late(struct tg_connection *c);

/* Is there room for one more?  Otherwise it is refused, and on its end. */
bool tg_connection_admit(struct tg_connection *c);

/* The same, of its client's address; once that is known. */
bool tg_connection_count(struct tg_connection *c);
void tg_connection_leave(struct tg_connection *c);
bool tg_server_may_warn(double *last); /* a flood must not flood the log */

/* Does a connection end with its exchange, and an idle one at once? */
bool tg_server_is_closing(const struct tg_server *server);

/* The deadlines of a server's connections; they are looked at once a tick. */
void tg_deadline_start(struct tg_server *server);
unsigned tg_deadline_ticks(const struct tg_server *server, double seconds);

/* The response is out: makes room for the next exchange, or closes. */
void tg_connection_end_exchange(struct tg_connection *c);

/* Callbacks of the events.  That of `read` is made active with EV_TIMEOUT to
 * begin, or to go on with what is pending, and with EV_READ to look at the
 * socket. */
void tg_intake_event(evutil_socket_t fd, short what, void *connection);
void tg_sending_writable(evutil_socket_t fd, short what, void *connection);

/* Will this connection close after the response that begins now? */
bool tg_connection_will_close(struct tg_connection *c);

/* The life of an exchange, for its connection. */
struct tg_exchange *tg_exchange_take(struct tg_server *server);
void tg_exchange_put(struct tg_server *server, struct tg_exchange *x);
void tg_exchange_end_encoding(struct tg_exchange *x);
void tg_exchange_free(struct tg_exchange *x);
void tg_exchange_open(struct tg_exchange *x, struct tg_connection *c,
                      const char *bytes, size_t len);
ssize_t tg_exchange_feed(struct tg_exchange *x, const char *data, size_t len);
void tg_exchange_tell_content(struct tg_exchange *x);
void tg_exchange_tell_late(struct tg_exchange *x);
void tg_exchange_tell_drain(struct tg_exchange *x);
void tg_exchange_tell_gone(struct tg_exchange *x);
void tg_exchange_tell_over(struct tg_exchange *x);

#endif
