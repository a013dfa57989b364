// SPDX-License-Identifier: MIT
/*
 * The servers that a resolver asks, by libevent's evdns.  Only
 * net/resolver.c uses this.
 */
#ifndef TG_NET_NAME_SERVERS_H
#define TG_NET_NAME_SERVERS_H

#include <stdbool.h>

struct tg_loop;
struct tg_name_servers;
struct tg_question;

/* The question has its answer.  A failure that is true for some time, or an
 * answer, has `expires` set. */
typedef void tg_name_servers_fn(struct tg_question *question);

/* Copies both lists, which end with NULL; NULL: those of the system, which are
 * read again when they have changed. */
struct tg_name_servers *tg_name_servers_new(struct tg_loop *loop,
                                            const char *const *servers,
                                            const char *const *search,
                                            tg_name_servers_fn *fn);

/* Nobody may wait for a question any more. */
void tg_name_servers_free(struct tg_name_servers *servers);

/* `fn` is called later; false: not so, the answer is there, a failure. */
bool tg_name_servers_ask(struct tg_name_servers *servers,
                         struct tg_question *question);

/* For one that is being asked and is in no cache: `fn` is not called; frees the
 * question in its time. */
void tg_name_servers_abandon(struct tg_name_servers *servers,
                             struct tg_question *question);

#endif
