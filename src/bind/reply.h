// SPDX-License-Identifier: MIT
/*
 * A reply: a request of ours to an origin, and what comes back (private to
 * http.c and reply*.c).
 *
 * Its connection is given back as soon as the response has come whole, and
 * closed when the reply is collected or closed before, or when the task that
 * everything belongs to ends.
 */
#ifndef TG_BIND_REPLY_H
#define TG_BIND_REPLY_H

#include "base/text.h"
#include "bind/bind.h"
#include "http/upstreams.h"
#include "script/task.h"

struct tg_buffer;
struct tg_decoder;
struct tg_waiting;

#define TG_REPLY "tidegate.http.response"

/* Uservalues; TEXT is false once the content was taken. */
enum { TG_REPLY_HEADERS = 1, TG_REPLY_URL, TG_REPLY_TEXT, TG_REPLY_PLAN };

struct tg_reply {
    struct tg_defer ended; /* of the first ancestor of its task */
    struct tg_waiting *waiting;
    struct tg_loop *loop;
    struct tg_ask ask;
    bool asking;
    struct tg_upstream *upstream; /* NULL: not yet, or not any more */

    double deadline;    /* by tg_clock_now(); 0: none */
    double first, idle; /* seconds */
    double first_until; /* by tg_clock_now() */
    double keep;        /* seconds the connection may rest afterwards */
    size_t most;        /* bytes of content at once */
    bool is_head, decodes, is_stale;

    size_t sent; /* of the string that is being sent */

    int status, minor; /* 0: the head has not come */
    int64_t content_length;
    bool is_whole; /* all content has come */
    struct tg_buffer *coded;
    struct tg_decoder *decoder; /* NULL: it is as it is */
    struct tg_text trailers;

    bool has_failed;
    char code[32], message[200];
};

/* Pushes one. */
struct tg_reply *tg_reply_push(lua_State *L);
struct tg_reply *tg_reply_check(lua_State *L, int index);

/* Nothing more will come: the connection is given back, or closed. */
void tg_reply_drop(struct tg_reply *reply);

void tg_reply_fail(struct tg_reply *reply, const char *code,
                   const char *message);

/* Pushes nil, message, code. */
int tg_reply_failure(lua_State *L, struct tg_reply *reply);

/* Parks until something happens to it or so many seconds were over: then it
 * has failed.  The reply is at 1. */
int tg_reply_wait(lua_State *L, struct tg_reply *reply, double seconds,
                  lua_KFunction next);

/* Something has happened. */
void tg_reply_wake(void *reply);

/* The head has come: takes it, and pushes nothing. */
void tg_reply_take_head(lua_State *L, struct tg_reply *reply);

/* reply_content.c */
extern const luaL_Reg tg_reply_content_methods[];

int tg_reply_open_class(lua_State *L);

#endif
