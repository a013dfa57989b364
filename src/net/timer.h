// SPDX-License-Identifier: MIT
/*
 * A timer: calls a function once, after some seconds, on its loop's thread.
 */
#ifndef TG_NET_TIMER_H
#define TG_NET_TIMER_H

struct tg_loop;
struct tg_timer;

typedef void tg_timer_fn(void *arg);

/* The timer frees itself just before it fires. */
struct tg_timer *tg_timer_start(struct tg_loop *loop, double seconds,
                                tg_timer_fn *fire, void *arg);

/* For a timer that has not fired; frees it. */
void tg_timer_stop(struct tg_timer *timer);

#endif
