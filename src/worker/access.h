// SPDX-License-Identifier: MIT
/*
 * The access log of one thread: a record for each exchange, gathered and
 * written several at a time.
 */
#ifndef TG_WORKER_ACCESS_H
#define TG_WORKER_ACCESS_H

#include <stddef.h>

struct tg_access;
struct tg_exchange;
struct tg_loop;
struct tg_settings;

/* Can the access log be written?  NULL, or one sentence, to be freed. */
char *tg_access_check(const struct tg_settings *settings);

/* NULL if the settings say "off". */
struct tg_access *tg_access_open(const struct tg_settings *settings,
                                 struct tg_loop *loop);
void tg_access_close(struct tg_access *access);

/* Opens the file again by its name, after somebody has moved it away. */
void tg_access_reopen(struct tg_access *access);

void tg_access_begin(struct tg_access *access, struct tg_exchange *x);
void tg_access_end(struct tg_access *access, struct tg_exchange *x,
                   size_t sent);

#endif
