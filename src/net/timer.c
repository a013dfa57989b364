// SPDX-License-Identifier: MIT
#include "net/timer.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "net/loop.h"

struct tg_timer {
    struct event event;
    tg_timer_fn *fire;
    void *arg;
    double due; /* by tg_clock_now(); 0: at the loop's next turn */
};

static void release(struct tg_timer *timer)
{
    event_debug_unassign(&timer->event);
    free(timer);
    tg_census.timers--;
}

static void add(struct tg_timer *timer, double seconds)
{
    struct timeval delay;

    delay.tv_sec = (time_t)seconds;
    delay.tv_usec = (suseconds_t)ceil((seconds - (double)delay.tv_sec) * 1e6);
    evtimer_add(&timer->event, &delay);
}

/* libevent's clock is a cheap one, some milliseconds behind: an event may come
 * that much too early. */
static bool is_early(struct tg_timer *timer)
{
    double left = timer->due > 0 ? timer->due - tg_clock_now() : 0;

    if (left <= 0)
        return false;
    add(timer, left);
    return true;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct tg_timer timer = *(struct tg_timer *)arg;

    (void)fd, (void)what;
    if (is_early(arg))
        return;
    release(arg); /* before firing: the callback may start another */
    timer.fire(timer.arg);
}

struct tg_timer *tg_timer_start(struct tg_loop *loop, double seconds,
                                tg_timer_fn *fire, void *arg)
{
    struct tg_timer *timer = tg_alloc(sizeof(*timer));

    timer->due = seconds > 0 ? tg_clock_now() + seconds : 0;
    timer->fire = fire;
    timer->arg = arg;
    evtimer_assign(&timer->event, tg_loop_base(loop), on_timeout, timer);
    add(timer, seconds);
    tg_census.timers++;
    return timer;
}

void tg_timer_stop(struct tg_timer *timer)
{
    evtimer_del(&timer->event);
    release(timer);
}
