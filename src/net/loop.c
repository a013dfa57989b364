// SPDX-License-Identifier: MIT
#include "net/loop.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

struct watch {
    struct event *event;
    tg_loop_fn *fn;
    void *arg;
    struct watch *next;
};

struct kept {
    const void *key;
    void *thing;
    tg_loop_release_fn *release;
    struct kept *next;
};

struct tg_loop {
    struct event_base *base;
    struct watch *watches;
    struct kept *kept;
};

static void on_libevent_log(int severity, const char *message)
{
    tg_log(severity >= EVENT_LOG_WARN ? TG_LOG_WARN : TG_LOG_DEBUG,
           "libevent: %s", message);
}

static void on_libevent_fatal(int error)
{
    tg_log(TG_LOG_ERROR, "libevent gave up (error %d)", error);
    abort();
}

void tg_loop_setup(int debug)
{
    event_set_log_callback(on_libevent_log);
    event_set_fatal_callback(on_libevent_fatal);
    if (debug)
        event_enable_debug_mode();
    evthread_use_pthreads();
}

/* libevent has no "only this one": all the others are avoided instead. */
static bool choose(struct event_config *config, const char *backend)
{
    const char **method;
    bool found = false;

    for (method = event_get_supported_methods(); *method; method++) {
        if (strcmp(*method, backend) == 0)
            found = true;
        else
            event_config_avoid_method(config, *method);
    }
    return found;
}

/* Epoll hears of a closed descriptor when the loop waits the next time.  By
 * then its number may be another thread's: epoll knows files, and answers that
 * there is none, but ThreadSanitizer knows numbers. */
static void tell_epoll_late(struct event_config *config)
{
#ifndef __SANITIZE_THREAD__
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
#else
    (void)config;
#endif
}

struct tg_loop *tg_loop_new(const char *backend)
{
    struct event_config *config = event_config_new();
    struct tg_loop *loop = NULL;
    struct event_base *base = NULL;

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    tell_epoll_late(config);
    if (!backend || choose(config, backend))
        base = event_base_new_with_config(config);
    event_config_free(config);
    if (base) {
        loop = tg_alloc(sizeof(*loop));
        loop->base = base;
    }
    return loop;
}

/* libevent defers some calls, and leaks what they hold unless they happen. */
static void release_kept(struct tg_loop *loop)
{
    struct kept *kept;

    if (!loop->kept)
        return;
    while ((kept = loop->kept)) {
        loop->kept = kept->next;
        kept->release(kept->thing);
        free(kept);
    }
    event_base_loop(loop->base, EVLOOP_NONBLOCK);
}

void tg_loop_free(struct tg_loop *loop)
{
    struct watch *watch;

    while ((watch = loop->watches)) {
        loop->watches = watch->next;
        event_free(watch->event);
        free(watch);
    }
    release_kept(loop);
    event_base_free(loop->base);
    free(loop);
}

void tg_loop_run(struct tg_loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void tg_loop_stop(struct tg_loop *loop)
{
    event_base_loopbreak(loop->base);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;

    (void)fd, (void)what;
    watch->fn(watch->arg);
}

void tg_loop_watch(struct tg_loop *loop, int fd, tg_loop_fn *fn, void *arg)
{
    struct watch *watch = tg_alloc(sizeof(*watch));

    watch->fn = fn;
    watch->arg = arg;
    watch->event =
        event_new(loop->base, fd, EV_READ | EV_PERSIST, on_readable, watch);
    watch->next = loop->watches;
    loop->watches = watch;
    event_add(watch->event, NULL);
}

void *tg_loop_kept(const struct tg_loop *loop, const void *key)
{
    const struct kept *kept = loop->kept;

    while (kept && kept->key != key)
        kept = kept->next;
    return kept ? kept->thing : NULL;
}

void tg_loop_keep(struct tg_loop *loop, const void *key, void *thing,
                  tg_loop_release_fn *release)
{
    struct kept *kept = tg_alloc(sizeof(*kept));

    kept->key = key;
    kept->thing = thing;
    kept->release = release;
    kept->next = loop->kept;
    loop->kept = kept;
}

struct event_base *tg_loop_base(struct tg_loop *loop)
{
    return loop->base;
}

const char *tg_loop_backend(const struct tg_loop *loop)
{
    return event_base_get_method(loop->base);
}

const char *tg_loop_version(void)
{
    return event_get_version();
}

void tg_loop_list_backends(struct tg_text *out)
{
    const char **method;

    for (method = event_get_supported_methods(); *method; method++)
        tg_text_addf(out, " %s", *method);
}

int tg_loop_is_patched(void)
{
    return event_get_version_number() > 0x02010c00 ||
           dlsym(RTLD_DEFAULT, "evhttp_check_transfer_encoding_") != NULL;
}

void tg_loop_teardown(void)
{
    libevent_global_shutdown();
}
