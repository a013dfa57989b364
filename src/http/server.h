// SPDX-License-Identifier: MIT
/*
 * One thread's HTTP server: the addresses where it listens, the connections
 * that own the sockets, and the exchanges on them.
 */
#ifndef TG_HTTP_SERVER_H
#define TG_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct tg_exchange;
struct tg_limits;
struct tg_listen;
struct tg_tally;
struct tg_loop;
struct tg_server;
struct tg_tls;
struct tg_settings;

/* What a server tells the floor above. */
struct tg_server_hooks {
    /* A request's head has come: answer it, now or later. */
    void (*serve)(struct tg_exchange *x, void *arg);
    /* The exchange is over, `sent` bytes of content went out; may be NULL. */
    void (*over)(struct tg_exchange *x, size_t sent, void *arg);
    /* The last connection of a draining server has closed. */
    void (*empty)(void *arg);
    void *arg;
};

/* The limits, which do not change, and the tally of connections by address stay
 * the caller's. */
struct tg_server *tg_server_new(struct tg_loop *loop,
                                const struct tg_limits *limits,
                                struct tg_tally *tally,
                                const struct tg_server_hooks *hooks);

/* Believes the proxies that the settings name; they must live as long. */
void tg_server_trust(struct tg_server *server,
                     const struct tg_settings *settings);

/* Shall responses be encoded, unless they say otherwise?  Not at first. */
void tg_server_compress(struct tg_server *server, bool compress);

/* Closes what is open; exchanges in flight hear that their client is gone. */
void tg_server_free(struct tg_server *server);

/* Frees what outlives servers; when no Lua state is left. */
void tg_server_teardown(void);

/* Accepts on a listening socket, which it owns from now on; `tls` may be NULL.
 * The options are copied; what they point to, and `tls`, must live as long as
 * the server. */
void tg_server_listen(struct tg_server *server, int fd,
                      const struct tg_listen *options, struct tg_tls *tls);

/* Stops listening, and closes each connection after the response it is in, idle
 * ones at once; then calls hooks.empty.  For so many seconds idle ones are left
 * alone, since their next request may be on its way: where another process
 * serves already, no client need see an end that nothing has announced. */
void tg_server_drain(struct tg_server *server, double grace);

#endif
