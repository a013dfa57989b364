// SPDX-License-Identifier: MIT
#include "worker/thread.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/blackbox.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/scratch.h"
#include "base/settings.h"
#include "bind/app.h"
#include "http/server.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/timer.h"
#include "shared/bell.h"
#include "shared/mailbox.h"
#include "worker/access.h"
#include "worker/loader.h"
#include "worker/signals.h"
#include "worker/spawn.h"
#include "worker/watchdog.h"

enum { RENEW_SECONDS = 10 }; /* between two fresh states that do not load */

/* --- retiring --- */

static void free_slot(struct tg_slot *slot)
{
    tg_app_free(slot->app);
    free(slot->error);
    free(slot);
}

/* On the loader's thread: its finalizers are watched as all else is. */
void tg_slot_free(void *arg)
{
    struct tg_slot *slot = arg;
    const struct tg_common *common = slot->thread->common;
    struct tg_turn *turn = tg_watchdog_enter(common->watchdog, "loader", 0);

    tg_app_watch(slot->app, turn, common->settings->limits.time_limit);
    free_slot(slot);
    tg_watchdog_leave(common->watchdog, turn);
}

static void stop_if_done(struct tg_thread *thread)
{
    if (thread->stopping && !thread->serving &&
        tg_list_empty(&thread->prepared) && tg_list_empty(&thread->retiring))
        tg_loop_stop(thread->loop);
}

static void on_idle(void *arg)
{
    struct tg_slot *slot = arg;
    struct tg_thread *thread = slot->thread;

    if (slot->deadline)
        tg_timer_stop(slot->deadline);
    tg_list_remove(&slot->link);
    tg_log(TG_LOG_DEBUG, "generation %" PRIu64 " has left thread %d",
           slot->number, thread->number);
    tg_mailbox_post(thread->common->loader, tg_slot_free, slot);
    stop_if_done(thread);
}

static void on_deadline(void *arg)
{
    struct tg_slot *slot = arg;

    slot->deadline = NULL;
    tg_log(TG_LOG_WARN,
           "generation %" PRIu64 " was replaced %g s ago: %d of its tasks on "
           "thread %d are cancelled",
           slot->number, slot->thread->common->settings->drain_timeout,
           tg_app_cancel(slot->app), slot->thread->number);
}

static void retire(struct tg_slot *slot)
{
    struct tg_thread *thread = slot->thread;

    slot->since = tg_clock_now();
    tg_list_append(&thread->retiring, &slot->link);
    slot->deadline =
        tg_timer_start(thread->loop, thread->common->settings->drain_timeout,
                       on_deadline, slot);
    tg_app_retire(slot->app, on_idle, slot);
}

/* --- taking over --- */

static void on_exhausted(void *arg)
{
    struct tg_slot *slot = arg;
    struct tg_thread *thread = slot->thread;
    double now = tg_clock_now();

    if (slot != thread->serving || thread->stopping ||
        (slot->renewed > 0 && now < slot->renewed + RENEW_SECONDS))
        return;
    slot->renewed = now;
    tg_log(TG_LOG_WARN,
           "generation %" PRIu64 " has no memory left on thread %d: what its "
           "modules keep takes it all; a fresh state is loaded",
           slot->number, thread->number);
    tg_mailbox_post(thread->common->loader, tg_loader_renew, slot);
}

/* Serves with a prepared app from here on. */
static void take_over(struct tg_slot *slot)
{
    struct tg_thread *thread = slot->thread;
    struct tg_slot *old = thread->serving;

    tg_list_remove(&slot->link);
    thread->serving = slot;
    slot->since = tg_clock_now();
    slot->app->on_exhausted = on_exhausted;
    slot->app->exhausted_arg = slot;
    tg_app_go_live(slot->app);
    if (old)
        retire(old);
}

/* Fresh states that did not start, or came too late. */
static void drop_unwanted(void *arg)
{
    struct tg_thread *thread = arg;
    struct tg_list *link, *next;

    for (link = thread->prepared.next; link != &thread->prepared; link = next) {
        struct tg_slot *slot = tg_list_item(link, struct tg_slot, link);

        next = link->next;
        if (!slot->renews || !slot->answered)
            continue;
        tg_list_remove(&slot->link);
        retire(slot);
    }
}

/* A fresh state of the generation that serves has started, or has not: its
 * task is still about to end. */
static void renewed(struct tg_slot *slot, const char *error)
{
    struct tg_thread *thread = slot->thread;

    if (!error && thread->serving && thread->serving->number == slot->number) {
        take_over(slot);
        tg_log(TG_LOG_INFO,
               "a fresh state of generation %" PRIu64 " serves on thread %d",
               slot->number, thread->number);
        return;
    }
    if (error)
        tg_log(TG_LOG_ERROR, "a fresh state did not start: on_start failed: %s",
               error);
    slot->answered = true;
    tg_mailbox_post(thread->mailbox, drop_unwanted, thread);
}

/* Serves with the newest prepared app that has been committed. */
static void adopt(struct tg_thread *thread, uint64_t current)
{
    struct tg_list *link, *next;

    for (link = thread->prepared.next; link != &thread->prepared; link = next) {
        struct tg_slot *slot = tg_list_item(link, struct tg_slot, link);

        next = link->next;
        if (slot->number > current)
            return;
        if (!slot->renews)
            take_over(slot);
    }
}

static void look(struct tg_thread *thread)
{
    uint64_t current =
        atomic_load_explicit(&thread->common->current, memory_order_acquire);

    if (!thread->serving || thread->serving->number != current)
        adopt(thread, current);
}

static void serve(struct tg_exchange *x, void *arg)
{
    struct tg_thread *thread = arg;

    look(thread);
    if (thread->access)
        tg_access_begin(thread->access, x);
    tg_app_serve(thread->serving->app, x);
}

static void over(struct tg_exchange *x, size_t sent, void *arg)
{
    struct tg_thread *thread = arg;

    if (thread->access)
        tg_access_end(thread->access, x, sent);
}

/* --- messages --- */

static void prepared(const char *error, void *arg)
{
    struct tg_slot *slot = arg;

    if (slot->renews) {
        renewed(slot, error);
        return;
    }
    if (error)
        slot->error = tg_strdup(error);
    tg_mailbox_post(slot->thread->common->loader, slot->on_prepared, slot);
}

static void on_prepare(void *arg)
{
    struct tg_slot *slot = arg;
    struct tg_thread *thread = slot->thread;

    if (slot->renews && thread->stopping) {
        tg_mailbox_post(thread->common->loader, tg_slot_free, slot);
        return;
    }
    tg_list_append(&thread->prepared, &slot->link);
    slot->app->bell = thread->bell;
    tg_app_attach(slot->app, thread->loop, thread->turn,
                  tg_blackbox_note(thread->common->blackbox, thread->number));
    tg_app_start(slot->app, thread->common->settings->start_timeout, prepared,
                 slot);
}

void tg_thread_prepare(struct tg_slot *slot)
{
    tg_mailbox_post(slot->thread->mailbox, on_prepare, slot);
}

static void on_drop(void *arg)
{
    struct tg_slot *slot = arg;

    tg_list_remove(&slot->link);
    retire(slot);
}

void tg_thread_drop(struct tg_slot *slot)
{
    tg_mailbox_post(slot->thread->mailbox, on_drop, slot);
}

static void on_nudge(void *arg)
{
    look(arg);
}

void tg_thread_nudge(struct tg_thread *thread)
{
    tg_mailbox_post(thread->mailbox, on_nudge, thread);
}

struct listening {
    struct tg_thread *thread;
    int fd;
    const struct tg_listen *options; /* of the settings, which stay */
    struct tg_tls *tls;
};

static void on_listen(void *arg)
{
    struct listening *listening = arg;

    tg_server_listen(listening->thread->server, listening->fd,
                     listening->options, listening->tls);
    free(listening);
}

void tg_thread_listen(struct tg_thread *thread, int fd,
                      const struct tg_listen *options, struct tg_tls *tls)
{
    struct listening *listening = tg_alloc(sizeof(*listening));

    listening->thread = thread;
    listening->fd = fd;
    listening->options = options;
    listening->tls = tls;
    tg_mailbox_post(thread->mailbox, on_listen, listening);
}

static void on_reopen(void *arg)
{
    struct tg_thread *thread = arg;

    if (thread->access)
        tg_access_reopen(thread->access);
}

void tg_thread_reopen(struct tg_thread *thread)
{
    tg_mailbox_post(thread->mailbox, on_reopen, thread);
}

/* --- stopping --- */

static void clear(struct tg_slot *slot)
{
    tg_list_remove(&slot->link);
    if (slot->deadline)
        tg_timer_stop(slot->deadline);
    tg_app_stop(slot->app);
    free_slot(slot);
}

static void clear_all(struct tg_list *slots)
{
    while (!tg_list_empty(slots))
        clear(tg_list_item(slots->next, struct tg_slot, link));
}

/* What the loader was told of them may still be in its mailbox: they are freed
 * behind that. */
static void clear_prepared(struct tg_thread *thread)
{
    while (!tg_list_empty(&thread->prepared)) {
        struct tg_slot *slot =
            tg_list_item(thread->prepared.next, struct tg_slot, link);

        tg_list_remove(&slot->link);
        tg_app_stop(slot->app);
        tg_mailbox_post(thread->common->loader, tg_slot_free, slot);
    }
}

/* The last connection is closed: what still runs has nobody to answer. */
static void on_empty(void *arg)
{
    struct tg_thread *thread = arg;
    struct tg_list *link, *next;

    thread->stopping = true;
    clear_prepared(thread);
    for (link = thread->retiring.next; link != &thread->retiring; link = next) {
        next = link->next;
        tg_app_cancel(tg_list_item(link, struct tg_slot, link)->app);
    }
    if (thread->serving)
        retire(thread->serving);
    thread->serving = NULL;
    stop_if_done(thread);
}

static void on_drain(void *arg)
{
    struct tg_thread *thread = arg;

    if (!thread->stopping)
        tg_server_drain(thread->server, thread->grace);
}

void tg_thread_drain(struct tg_thread *thread, double grace)
{
    thread->grace = grace;
    tg_mailbox_post(thread->mailbox, on_drain, thread);
}

static void on_stop(void *arg)
{
    struct tg_thread *thread = arg;

    tg_loop_stop(thread->loop);
}

void tg_thread_stop(struct tg_thread *thread)
{
    tg_mailbox_post(thread->mailbox, on_stop, thread);
}

/* --- its life --- */

static void on_mail(void *arg)
{
    struct tg_thread *thread = arg;

    tg_mailbox_run(thread->mailbox);
}

/* Of the process, on the first thread. */
static void on_signals(void *arg)
{
    struct tg_thread *thread = arg;
    uint64_t caught = tg_signals_take();
    int number;

    look(thread);
    for (number = 1; caught; number++, caught >>= 1)
        if ((caught & 1) && thread->serving)
            tg_app_signal(thread->serving->app, number);
}

static void *run(void *arg)
{
    struct tg_thread *thread = arg;
    struct tg_server_hooks hooks = {serve, over, on_empty, thread};

    thread->turn =
        tg_watchdog_enter(thread->common->watchdog, "thread", thread->number);
    thread->server =
        tg_server_new(thread->loop, &thread->common->settings->limits,
                      thread->common->tally, &hooks);
    tg_server_trust(thread->server, thread->common->settings);
    tg_server_compress(thread->server, thread->common->settings->compress);
    tg_loop_watch(thread->loop, tg_mailbox_fd(thread->mailbox), on_mail,
                  thread);
    if (thread->number == 1)
        tg_loop_watch(thread->loop, tg_signals_fd(), on_signals, thread);
    tg_loop_run(thread->loop);
    tg_server_free(thread->server);
    if (thread->serving)
        clear(thread->serving);
    clear_prepared(thread);
    clear_all(&thread->retiring);
    if (thread->access)
        tg_access_close(thread->access);
    tg_loop_free(thread->loop);
    tg_census_flush();
    tg_scratch_free();
    tg_watchdog_leave(thread->common->watchdog, thread->turn);
    tg_mailbox_post(thread->common->main, thread->common->on_stopped, thread);
    return NULL;
}

bool tg_thread_start(struct tg_thread *thread)
{
    thread->loop = tg_loop_new(thread->common->settings->event_backend);
    if (!thread->loop)
        return false;
    tg_resolver_configure(thread->loop, thread->common->settings->dns_servers);
    tg_list_init(&thread->prepared);
    tg_list_init(&thread->retiring);
    thread->mailbox = tg_mailbox_new();
    thread->bell = tg_bell_new(thread->mailbox);
    thread->access = tg_access_open(thread->common->settings, thread->loop);
    tg_spawn(&thread->handle, run, thread);
    return true;
}

void tg_thread_join(struct tg_thread *thread)
{
    pthread_join(thread->handle, NULL);
    tg_bell_free(thread->bell);
    tg_mailbox_free(thread->mailbox);
}
