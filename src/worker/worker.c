// SPDX-License-Identifier: MIT
#include "worker/worker.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/census.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "http/server.h"
#include "net/loop.h"
#include "script/bundle_copy.h"
#include "script/lpeg.h"
#include "shared/mailbox.h"
#include "shared/saver.h"
#include "shared/tally.h"
#include "worker/caller.h"
#include "worker/certificates.h"
#include "worker/loader.h"
#include "worker/status.h"
#include "worker/thread.h"
#include "worker/watchdog.h"

enum { GIVE_UP_SECONDS = 2, GRACE_SECONDS = 2 };

struct worker {
    const struct tg_worker_place *place;
    const struct tg_settings *settings;
    struct tg_common common;
    struct tg_certificates certificates;
    struct tg_thread *threads;
    int nthreads, running; /* threads made; threads that have not ended */
    struct tg_loader loader;
    struct tg_callers callers;
    struct tg_outcome *held; /* nobody has heard of it yet */
    uint64_t signals;        /* that the master passes on */
    uint64_t asked;          /* the newest reload that was asked for */
    struct tg_status_desk status;
    struct tg_watchdog watchdog;
    int signal_fd;
    bool started, stopping;
    bool is_told;      /* to stop, by the master */
    bool is_orphan;    /* the master has gone */
    bool is_leaving;   /* another worker serves on the same sockets */
    bool draining;     /* the loader has ended; the threads are to, */
    bool cut_off;      /* and at once */
    double kill_at;    /* when what is in flight is cut off, */
    double give_up_at; /* and when what did not even end then; 0: not yet */
    int exit_code;
};

/* --- starting --- */

static void tell(const struct worker *worker, const char *message)
{
    tg_link_send(worker->place->link, -1, "%s", message);
}

/* Each address's sockets go round the threads: there may be more or fewer of
 * them, if they are another process's. */
static void listen_on(struct worker *worker, int address)
{
    const struct tg_listening *listener = &worker->place->listeners[address];
    int i;

    for (i = 0; i < listener->count; i++)
        tg_thread_listen(&worker->threads[i % worker->nthreads],
                         listener->fds[i], &worker->settings->listen[address],
                         worker->certificates.tls[address]);
    if (!worker->place->is_quiet)
        fprintf(stderr, "listening on %s\n", listener->url);
}

/* The first generation serves: take requests. */
static void open_doors(struct worker *worker, const char *routes)
{
    int i;

    for (i = 0; i < worker->place->nlisteners; i++)
        listen_on(worker, i);
    if (routes && !worker->place->is_quiet)
        fputs(routes, stderr);
    worker->started = true;
    tell(worker, "ready");
}

static bool start_threads(struct worker *worker)
{
    int i, count = (int)worker->settings->threads;

    worker->threads = tg_alloc((size_t)count * sizeof(*worker->threads));
    for (i = 0; i < count; i++) {
        worker->threads[i].number = i + 1;
        worker->threads[i].common = &worker->common;
        if (!tg_thread_start(&worker->threads[i])) {
            fprintf(stderr,
                    "tidegate: libevent has no backend '%s' here "
                    "(`tidegate version` names those it has)\n",
                    worker->settings->event_backend);
            return false;
        }
        worker->nthreads++;
        worker->running++;
    }
    return true;
}

static void on_outcome(void *arg);

static void start_loader(struct worker *worker)
{
    struct tg_loader *loader = &worker->loader;

    worker->status.main = worker->common.main;
    worker->status.threads = worker->threads;
    worker->status.nthreads = worker->nthreads;
    loader->common = &worker->common;
    loader->mailbox = worker->common.loader;
    loader->threads = worker->threads;
    loader->nthreads = worker->nthreads;
    loader->on_outcome = on_outcome;
    loader->owner = worker;
    tg_loader_start(loader);
}

/* --- stopping --- */

static void stop(struct worker *worker, int exit_code)
{
    if (worker->stopping)
        return;
    worker->stopping = true;
    worker->exit_code = exit_code;
    worker->kill_at = tg_clock_now() + worker->settings->shutdown_timeout;
    tg_loader_stop(&worker->loader);
}

/* Code that never returns, in a handler or while it is loaded, keeps its
 * thread: then nothing can be closed in order. */
static void give_up(void)
{
    tg_log(TG_LOG_ERROR, "code that never returns was cut off");
    tg_saver_stop();
    _exit(1);
}

/* The loader ends first, so that no generation comes while threads end. */
static void go_on_stopping(struct worker *worker)
{
    double now = tg_clock_now();
    int i;

    if (!worker->draining && tg_loader_has_ended(&worker->loader)) {
        worker->draining = true;
        for (i = 0; i < worker->nthreads; i++)
            tg_thread_drain(&worker->threads[i],
                            worker->is_leaving ? GRACE_SECONDS : 0);
    }
    if (now < worker->kill_at)
        return;
    if (worker->give_up_at == 0)
        worker->give_up_at = now + GIVE_UP_SECONDS;
    else if (now >= worker->give_up_at)
        give_up();
    if (worker->draining && !worker->cut_off) {
        worker->cut_off = true;
        for (i = 0; i < worker->nthreads; i++)
            tg_thread_stop(&worker->threads[i]);
    }
}

static void on_stopped(void *arg)
{
    struct tg_thread *thread = arg;
    struct worker *worker = thread->common->owner;

    worker->running--;
}

/* --- reloads --- */

/* Should this process die, the next one goes on with the same sources. */
static void keep_bundle(struct worker *worker, const struct tg_outcome *outcome)
{
    int copy = tg_bundle_write_copy(outcome->bundle);

    if (copy < 0) {
        tg_log(TG_LOG_WARN, "cannot keep a copy of the handlers: %s",
               strerror(-copy));
        return;
    }
    tg_link_send(worker->place->link, copy, "bundle %" PRIu64,
                 outcome->generation);
    close(copy);
}

static void tell_outcome(struct worker *worker, struct tg_outcome *outcome)
{
    if (worker->started)
        tg_link_send(worker->place->link, -1, "%s %s",
                     outcome->ok ? "reloaded" : "refused",
                     outcome->report.data);
    if (outcome->request >= worker->asked)
        worker->status.reloading_since = 0;
    tg_text_adds(&outcome->report, "\n");
    if (worker->started) {
        tg_callers_answer(&worker->callers, outcome->request, outcome->ok,
                          outcome->report.data);
    } else if (outcome->ok) {
        if (!worker->stopping)
            open_doors(worker, outcome->routes.data);
    } else if (!worker->stopping) {
        fputs(outcome->report.data, stderr);
        stop(worker, 1);
    }
    tg_outcome_free(outcome);
}

static void tell_held(struct worker *worker)
{
    struct tg_outcome *outcome = worker->held;

    worker->held = NULL;
    if (outcome)
        tell_outcome(worker, outcome);
}

/* Other signals than before: nobody hears of it until the master has answered
 * that it passes them on. */
static void on_outcome(void *arg)
{
    struct tg_outcome *outcome = arg;
    struct worker *worker = outcome->owner;

    tell_held(worker);
    worker->held = outcome;
    if (outcome->ok)
        keep_bundle(worker, outcome);
    if (!outcome->ok || outcome->signals == worker->signals ||
        worker->is_orphan ||
        !tg_link_send(worker->place->link, -1, "signals %" PRIx64,
                      outcome->signals))
        tell_held(worker);
    else
        worker->signals = outcome->signals;
}

/* --- what the process hears --- */

/* `caller` waits for the outcome, or is -1. */
static void reload(struct worker *worker, int caller)
{
    if (worker->stopping || worker->loader.is_lost) {
        tg_caller_answer(caller, false, "this worker is ending: ask again\n");
        return;
    }
    tell(worker, "reloading");
    worker->asked = tg_loader_request(&worker->loader);
    if (worker->status.reloading_since <= 0)
        worker->status.reloading_since = tg_clock_now();
    tg_callers_add(&worker->callers, caller, worker->asked);
}

static void reopen(struct worker *worker)
{
    int i;

    for (i = 0; i < worker->nthreads; i++)
        tg_thread_reopen(&worker->threads[i]);
}

/* What the master passes on does not come here: somebody, such as a service
 * manager, tells all processes.  It is no second time. */
static void on_signal(struct worker *worker)
{
    struct signalfd_siginfo info;

    if (read(worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP)
        reload(worker, -1);
    else if (info.ssi_signo == SIGUSR1)
        reopen(worker);
    else if (info.ssi_signo == SIGTERM)
        stop(worker, 0);
}

static void on_saved(void *arg)
{
    tell(arg, "saved");
}

static void stop_as_told(struct worker *worker)
{
    if (worker->is_told) /* the second time: at once */
        worker->kill_at = 0;
    worker->is_told = true;
    stop(worker, 0);
}

static void leave(struct worker *worker)
{
    worker->is_leaving = true;
    stop(worker, 0);
}

static void on_message(struct worker *worker,
                       const struct tg_link_message *message)
{
    if (tg_link_is(message, "reload"))
        reload(worker, message->fd);
    else if (tg_link_is(message, "reopen"))
        reopen(worker);
    else if (tg_link_is(message, "save"))
        tg_saver_save(worker->common.main, on_saved, worker);
    else if (tg_link_is(message, "stop"))
        stop_as_told(worker);
    else if (tg_link_is(message, "leave"))
        leave(worker);
    else if (tg_link_is(message, "status"))
        tg_status_ask(&worker->status, message->fd, false);
    else if (tg_link_is(message, "status-json"))
        tg_status_ask(&worker->status, message->fd, true);
    else if (tg_link_is(message, "signals"))
        tell_held(worker);
    else if (tg_link_is(message, "ping"))
        tell(worker, "pong");
}

static void on_link(struct worker *worker)
{
    struct tg_link_message message;

    switch (tg_link_receive(worker->place->link, &message)) {
    case TG_LINK_MESSAGE:
        on_message(worker, &message);
        break;
    case TG_LINK_GONE: /* the master was killed: nobody could restart us */
        worker->is_orphan = true;
        tell_held(worker);
        stop(worker, 1);
        break;
    default:
        break;
    }
}

static int poll_timeout(const struct worker *worker)
{
    if (!worker->stopping)
        return tg_status_is_open(&worker->status) ? 100 : -1;
    return worker->draining ? 50 : 1; /* nothing tells of the loader's end */
}

static void listen_once(struct worker *worker)
{
    enum { SIGNALS, MAIL, LINK, ALL };
    struct pollfd watched[ALL] = {
        [SIGNALS] = {worker->signal_fd, POLLIN, 0},
        [MAIL] = {tg_mailbox_fd(worker->common.main), POLLIN, 0},
        [LINK] = {worker->is_orphan ? -1 : worker->place->link, POLLIN, 0},
    };

    poll(watched, ALL, poll_timeout(worker));
    if (watched[SIGNALS].revents)
        on_signal(worker);
    if (watched[LINK].revents)
        on_link(worker);
    tg_mailbox_run(worker->common.main);
    tg_status_tick(&worker->status);
    if (worker->stopping)
        go_on_stopping(worker);
}

/* The master has blocked them, so none is lost since the fork. */
static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* --- its life --- */

static void finish(struct worker *worker)
{
    int i;

    for (i = 0; i < worker->nthreads; i++)
        tg_thread_join(&worker->threads[i]);
    tg_mailbox_run(worker->common.main); /* outcomes nobody waits for */
    tg_loader_free(&worker->loader);
    tg_saver_stop();
    tg_server_teardown();
    tg_certificates_release(&worker->certificates);
    if (worker->held)
        tg_outcome_free(worker->held);
    tg_status_release(&worker->status);
    tg_callers_release(&worker->callers);
    tg_watchdog_stop(&worker->watchdog);
    tg_mailbox_free(worker->common.main);
    tg_tally_free(worker->common.tally);
    free(worker->threads);
    close(worker->signal_fd);
    tg_loop_teardown();
    tg_census_log();
}

/* Nothing ends it, but nobody has to wait for its outcome. */
static void give_up_load(struct worker *worker, const struct tg_loss *loss)
{
    struct tg_outcome *outcome = tg_alloc(sizeof(*outcome));

    tg_loss_describe(loss, &outcome->report);
    outcome->request = worker->asked;
    if (worker->started)
        tg_log(TG_LOG_ERROR, "reload refused: %s", outcome->report.data);
    worker->loader.is_lost = true;
    tell_outcome(worker, outcome);
}

static void on_lost(const struct tg_loss *loss, void *arg)
{
    struct worker *worker = arg;

    tg_link_send(worker->place->link, -1,
                 "replace %s is lost in a call for %.1f s", loss->name,
                 loss->seconds);
    if (!loss->serves &&
        (worker->status.reloading_since > 0 || !worker->started))
        give_up_load(worker, loss);
}

static void init_common(struct worker *worker)
{
    const struct tg_settings *settings = worker->settings;

    tg_certificates_init(&worker->certificates, settings);
    worker->common.certificates = &worker->certificates;
    worker->common.settings = settings;
    worker->common.owner = worker;
    worker->common.on_stopped = on_stopped;
    worker->common.tally = tg_tally_new();
    worker->common.watchdog = &worker->watchdog;
    worker->common.blackbox = worker->place->blackbox;
    worker->common.main = tg_mailbox_new();
    worker->common.loader = tg_mailbox_new();
    if (worker->place->bundle >= 0)
        worker->loader.restored = tg_bundle_read_copy(worker->place->bundle);
    if (worker->loader.restored)
        worker->common.current = worker->place->generation - 1;
}

int tg_worker_run(const struct tg_worker_place *place)
{
    const struct tg_settings *settings = place->settings;
    struct worker worker = {.place = place, .settings = settings};

    worker.signal_fd = open_signals();
    tg_loop_setup(settings->debug_events);
    tg_lpeg_find();
    init_common(&worker);
    tg_saver_start(place->has_elders);
    tg_watchdog_start(&worker.watchdog, settings, worker.common.main, on_lost,
                      &worker);
    tg_callers_init(&worker.callers);
    tg_list_init(&worker.status.open);
    if (start_threads(&worker)) {
        start_loader(&worker);
        tg_loader_request(&worker.loader);
    } else {
        start_loader(&worker);
        stop(&worker, 1);
    }
    while (worker.running || !worker.draining)
        listen_once(&worker);
    if (worker.loader.is_lost)
        give_up();
    finish(&worker);
    return worker.exit_code;
}
