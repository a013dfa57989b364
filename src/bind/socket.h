// SPDX-License-Identifier: MIT
/*
 * What the files bind/socket*.c share: the object, and how a task uses it.
 */
#ifndef TG_BIND_SOCKET_H
#define TG_BIND_SOCKET_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "bind/app.h"
#include "script/wait.h"

struct tg_socket;
struct tg_socket_use;
struct tg_timer;

#define TG_SOCKET "tidegate.socket"

/* The object.  Who waits for it has it on the stack. */
struct tg_socket_box {
    struct tg_open open;                     /* while it has a socket */
    struct tg_socket *socket;                /* NULL: closed */
    struct tg_socket_use *receiver, *sender; /* that wait now; NULL: nobody */
    double timeout; /* seconds of each operation; < 0: any time */
};

/* One operation of one task; begins the userdata of the operation. */
struct tg_socket_use {
    struct tg_wait wait;
    struct tg_socket_box *box;
    struct tg_timer *timer;
    double due; /* by tg_clock_now(); 0: never */
    bool sends;
    bool is_late; /* its time is over */
};

/* Pushes an object without a socket.  open: gives it one. */
struct tg_socket_box *tg_socket_push(lua_State *L);
void tg_socket_open(lua_State *L, struct tg_socket_box *box, int fd);

/* Who waits for it goes on, and finds it closed. */
void tg_socket_close(struct tg_socket_box *box);

struct tg_socket_box *tg_socket_check(lua_State *L);

/* `seconds` from now on; < 0: any time. */
void tg_socket_use_init(struct tg_socket_use *use, struct tg_socket_box *box,
                        bool sends, double seconds);

void tg_socket_use_cancel(struct tg_wait *wait);

/* Waits until the socket is ready, is closed, or the time is over. */
int tg_socket_use_park(lua_State *L, struct tg_socket_use *use,
                       lua_KFunction next, lua_KContext context);

/* Returns nil, message, code: for who comes second, after close(), for an
 * -errno of the stream. */
int tg_socket_busy(lua_State *L, bool sends);
int tg_socket_closed(lua_State *L);
int tg_socket_failed(lua_State *L, struct tg_socket_box *box, int error);

/* An option of seconds in the table at `index`, false for any time, which is
 * < 0; or `preset`. */
double tg_socket_timeout(lua_State *L, int index, double preset);

/* The most bytes that a task may hold. */
size_t tg_socket_most(lua_State *L);

/* --- TLS (socket_tls.c) --- */

/* Pushes the trust and the server's name, or nil, that the value at `index`
 * asks for: true, or a table of options.  False: it has pushed nil, message,
 * code instead. */
bool tg_socket_push_trust(lua_State *L, int index);

/*
 * Begins TLS with the trust and the name just above it, at `trust`, and
 * performs the handshake; `use` is at `trust` + 2.  Then `next` runs and finds
 * on top of the stack true; or, when it failed and the socket is closed, nil,
 * message, code.
 */
int tg_socket_secure(lua_State *L, struct tg_socket_use *use, int trust,
                     lua_KFunction next);

int tg_socket_start_tls(lua_State *L);
int tg_socket_push_tls(lua_State *L, struct tg_socket_box *box);

/* --- methods (socket_read.c, socket_write.c) --- */

int tg_socket_read(lua_State *L);
int tg_socket_read_until(lua_State *L);
int tg_socket_write(lua_State *L);

/* --- functions (socket_connect.c) --- */

int tg_socket_connect(lua_State *L);

#endif
